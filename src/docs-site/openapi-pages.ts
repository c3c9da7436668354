import { readFileSync } from "node:fs";
import type { JsonValue } from "@bufbuild/protobuf";
import type { Site } from "../lib/site.ts";
import { writeYaml } from "../lib/yaml.ts";
import { exampleAddress } from "./example-address.ts";
import type { SiteOptions } from "./site-options.ts";

const file = new URL("../gen/openapi.json", import.meta.url);

/** The OpenAPI document as JSON and as YAML, with the service's own addresses. */
export function createOpenapiPages({ basePath, restUrl }: SiteOptions): Site {
  const readText = (): string =>
    readFileSync(file, "utf8").replaceAll(exampleAddress, JSON.stringify(restUrl).slice(1, -1));
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
