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

const host = "https://id.example.org";
const nowhere = [`${path}/apix`, `${path}/api//`, `/api${path}/api`];

describe.each([
  ["which the issuer does not name", host, `${host}/api`, [path, `${path}/`], []],
  ["which the issuer names", `${host}/api`, `${host}/api`, [], [path, `${path}/`]],
  [
    "which the issuer names behind another",
    `${host}/a/api`,
    `${host}/a/api`,
    [`${path}/a/api`, `${path}/a/api/`],
    [path, `${path}/a`],
  ],
])("with BASE_PATH=/api, %s,", (_what, issuer, restUrl, also, never) => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService({ env: { BASE_PATH: "/api", ISSUER: issuer } });
  });
  afterAll(() => service.stop());

  test("the metadata is where discovery looks, with and without a slash at the end, and nowhere else", async () => {
    // RFC 8414 section 3.1 puts the issuer's path last; section 5 tells of those who put it first.
    const usual = [`${path}/api`, `${path}/api/`, `/api${path}`, `/api${path}/`];
    for (const address of [...usual, ...also]) {
      const { status, json } = await send(service.url + address);
      expect([address, status, json]).toEqual([address, 200, metadataOf(issuer, restUrl)]);
    }
    for (const address of [...nowhere, ...never]) {
      expect([address, (await send(service.url + address)).status]).toEqual([address, 404]);
    }
  });
});
