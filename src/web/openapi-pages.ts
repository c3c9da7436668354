import { readFileSync } from "node:fs";
import type { JsonValue } from "@bufbuild/protobuf";
import type { Site } from "../lib/site.ts";
import { writeYaml } from "../lib/yaml.ts";
import { exampleAddress } from "./example-address.ts";
import type { SiteOptions } from "./site-options.ts";

const file = new URL("../gen/openapi.json", import.meta.url);

/** The OpenAPI document as JSON and as YAML, with the service's own addresses and names. */
export function createOpenapiPages({ basePath, restUrl, authModeHeader }: SiteOptions): Site {
  const readText = (): string => {
    const text = readFileSync(file, "utf8")
      .replaceAll(exampleAddress, JSON.stringify(restUrl).slice(1, -1))
      .replaceAll("X-Auth-Mode", authModeHeader);
    // Only a service with an https address can use the cookie prefix that binds cookies to the host.
    return restUrl.startsWith("https:") ? text : text.replaceAll("__Host-", "");
  };
  return new Map([
    [`${basePath}/openapi.json`, () => ({ contentType: "application/json", body: Buffer.from(readText()) })],
    [
      `${basePath}/openapi.yaml`,
      // RFC 9512.
      () => ({
        contentType: "application/yaml",
        body: Buffer.from(writeYaml(JSON.parse(readText()) as JsonValue)),
      }),
    ],
  ]);
}
