import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { get } from "node:http";
import { type Caller, createCallers } from "../_harness/callers.ts";
import { eventually } from "../_harness/eventually.ts";
import { bearerOf } from "../_harness/rest.ts";
import { startHaproxy, startNginxProxy, type TestProxy } from "../_harness/reverse-proxies.ts";
import { startService, type TestService } from "../_harness/service.ts";

describe.each([
  ["nginx", startNginxProxy],
  ["haproxy", startHaproxy],
])("behind %s", (_, start) => {
  let service: TestService;
  let proxy: TestProxy;
  let ways: Caller[];
  beforeAll(async () => {
    service = await startService({ env: { TRUSTED_PROXIES: "127.0.0.1" } });
    proxy = await start(service.port);
    // What comes over HTTP/2 is gRPC here: to browsers a proxy speaks HTTP/2 over TLS, and HTTP/1.1 to us.
    ways = [
      ...createCallers(proxy.http1Url).filter(({ name }) => /HTTP\/1\.1|JSON by GET/.test(name)),
      ...createCallers(proxy.http2Url).filter(({ name }) => /^(gRPC|gRPC JSON|grpc-js.*)$/.test(name)),
    ];
  });
  afterAll(async () => {
    for (const way of ways) way.close();
    await proxy.stop();
    await service.stop();
  });

  test("every protocol signs in, reads the user, and is told what is wrong", async () => {
    expect(ways.map(({ name }) => name)).toEqual([
      "REST form over HTTP/1.1",
      "REST JSON over HTTP/1.1",
      "Connect JSON over HTTP/1.1",
      "Connect binary over HTTP/1.1",
      "Connect JSON by GET",
      "gRPC-Web over HTTP/1.1",
      "gRPC",
      "gRPC JSON",
    ]);
    for (const way of ways) {
      const login = await way.call({ rpc: "Login", input: { ...service.admin } });
      const { access_token: token } = login.message as { readonly access_token: string };
      const me = await way.call({ rpc: "GetCurrentUser", headers: bearerOf(token) });
      expect([way.name, me]).toMatchObject([way.name, { message: { username: "admin" } }]);
      const wrong = await way.call({ rpc: "Login", input: { username: "admin", password: "wrong" } });
      expect([way.name, wrong]).toMatchObject([way.name, { failure: { reason: "invalid_credentials" } }]);
    }
  });

  test("the caller's address is the one that the proxy saw, whatever the caller claims", async () => {
    const headers = { "x-forwarded-for": "192.0.2.66", "x-request-id": "claims" };
    const from = { host: "127.0.0.1", port: new URL(proxy.http1Url).port, localAddress: "127.0.0.2" };
    const answer = Promise.withResolvers<number | undefined>();
    get({ ...from, path: "/.well-known/jwks.json", headers, agent: false }, (response) => {
      response.resume().once("end", () => answer.resolve(response.statusCode));
    }).once("error", answer.reject);
    expect(await answer.promise).toBe(200);
    await eventually(() => addressOf("claims") !== undefined);
    expect(addressOf("claims")).toBe("127.0.0.2");
  });

  test("an address that a trusted proxy before it has seen counts in every protocol", async () => {
    for (const [index, way] of ways.entries()) {
      const headers = { "x-forwarded-for": "192.0.2.66", "x-request-id": `passed-on-${index}` };
      await way.call({ rpc: "GetJwks", headers });
      await eventually(() => addressOf(`passed-on-${index}`) !== undefined);
      expect([way.name, addressOf(`passed-on-${index}`)]).toEqual([way.name, "192.0.2.66"]);
    }
  });

  function addressOf(requestId: string): unknown {
    return service.logs().find((line) => line["request_id"] === requestId)?.["client_address"];
  }
});

test("with a base path, REST lies under it behind nginx, and RPCs where they are", async () => {
  const service = await startService({ env: { BASE_PATH: "/api", TRUSTED_PROXIES: "127.0.0.1" } });
  const proxy = await startNginxProxy(service.port);
  const statusOf = async (path: string) => (await fetch(proxy.http1Url + path)).status;
  expect(await statusOf("/api/.well-known/jwks.json")).toBe(200);
  expect(await statusOf("/.well-known/jwks.json")).toBe(404);
  expect(await statusOf("/.well-known/oauth-authorization-server/api")).toBe(200);
  expect(await statusOf("/countersign.v1.TokenService/GetJwks?encoding=json&message=%7B%7D")).toBe(200);
  expect(await statusOf("/readyz")).toBe(200);
  await proxy.stop();
  await service.stop();
});
