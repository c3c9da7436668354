import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createCaller } from "../_harness/callers.ts";
import { send } from "../_harness/rest.ts";
import { startService, type TestService } from "../_harness/service.ts";

// RFC 8414; section 1 and 4 of the contract.

const path = "/.well-known/oauth-authorization-server";

function metadataOf(issuer: string, restUrl: string) {
  const methods = ["client_secret_basic", "client_secret_post"];
  return {
    issuer,
    token_endpoint: `${restUrl}/auth/token`,
    jwks_uri: `${restUrl}/.well-known/jwks.json`,
    response_types_supported: [],
    grant_types_supported: ["password", "refresh_token", "client_credentials"],
    token_endpoint_auth_methods_supported: [...methods, "none"],
    introspection_endpoint: `${restUrl}/auth/introspect`,
    introspection_endpoint_auth_methods_supported: methods,
    revocation_endpoint: `${restUrl}/auth/revoke`,
    revocation_endpoint_auth_methods_supported: [...methods, "none"],
  };
}

describe("the metadata of the server", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.stop());

  test("names every endpoint from the issuer, and how clients authenticate there", async () => {
    const answer = await send(service.url + path);
    const issuer = `http://localhost:${service.port}`;
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/json"]);
    expect(answer.json).toEqual(metadataOf(issuer, issuer));
    expect(answer.headers.get("cache-control")).toBe("public, max-age=3600");
  });

  test("names addresses at which something answers", async () => {
    const { json } = await send(service.url + path);
    for (const [name, address] of Object.entries(json)) {
      if (!name.endsWith("_endpoint") && name !== "jwks_uri") continue;
      const { pathname } = new URL(address as string);
      const expected = name === "jwks_uri" ? 200 : 405;
      expect((await send(service.url + pathname)).status).toBe(expected);
    }
  });

  test("is the same over other protocols", async () => {
    const answer = await fetch(`${service.url}/countersign.v1.TokenService/GetServerMetadata`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    expect(await answer.json()).toMatchObject({ issuer: `http://localhost:${service.port}` });
    const caller = createCaller(service.url, "gRPC");
    expect((await caller.call({ rpc: "GetJwks" })).failure).toBeNull();
    caller.close();
  });
});

describe.each([
  ["which the issuer does not name", "https://id.example.org", "https://id.example.org/api"],
  ["which the issuer names", "https://id.example.org/api", "https://id.example.org/api"],
])("with BASE_PATH=/api, %s,", (_what, issuer, restUrl) => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService({ env: { BASE_PATH: "/api", ISSUER: issuer } });
  });
  afterAll(() => service.stop());

  test("the metadata is at both addresses, and tells of the base path", async () => {
    // RFC 8414 section 3.1 puts the issuer's path last; section 5 tells of those who put it first.
    for (const address of [`${path}/api`, `/api${path}`, `/api${path}/`]) {
      const { status, json } = await send(service.url + address);
      expect([address, status, json]).toEqual([address, 200, metadataOf(issuer, restUrl)]);
    }
    for (const address of [path, `${path}/apix`, `/api${path}/api`]) {
      expect([address, (await send(service.url + address)).status]).toEqual([address, 404]);
    }
  });
});
