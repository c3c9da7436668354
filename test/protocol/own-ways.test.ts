import { createClient, type Transport } from "@connectrpc/connect";
import {
  compressionGzip,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { AuthService } from "../../src/gen/countersign/v1/auth_pb.ts";
import * as given from "../_harness/given.ts";
import { type H2Answer, openH2 } from "../_harness/h2-request.ts";
import { bearerOf, send, sendJson } from "../_harness/rest.ts";
import { startService, type TestService } from "../_harness/service.ts";

// Where protocols have ways of their own: statuses, header fields, compression.

let service: TestService;
let h2: ReturnType<typeof openH2>;
beforeAll(async () => {
  service = await startService();
  h2 = openH2(service.url);
  await given.user(service, { username: "eve", status: "suspended" });
});
afterAll(async () => {
  h2.close();
  await service.stop();
});

const rpc = "/countersign.v1.AuthService";

describe("a Connect answer has the HTTP status of its code, not of REST:", () => {
  test.each<[string, Record<string, string>, number, string]>([
    ["a missing password", { username: "admin" }, 400, "invalid_argument"],
    ["a wrong password", { username: "admin", password: "x" }, 401, "unauthenticated"],
    ["a suspended account", { username: "eve", password: "correct horse battery" }, 403, "permission_denied"],
  ])("%s", async (_what, message, status, code) => {
    const { json, ...answer } = await sendJson(`${service.url}${rpc}/Login`, message);
    expect([answer.status, json["code"]]).toEqual([status, code]);
    expect(answer.headers.get("content-type")).toBe("application/json");
  });
});

test("Connect's answers say who may keep them, as REST's do", async () => {
  const cacheControl = async (path: string, init?: RequestInit) =>
    (await send(service.url + path, init)).headers.get("cache-control");
  const json = { "content-type": "application/json" };
  const body = JSON.stringify(service.admin);
  expect(await cacheControl(`${rpc}/Login`, { method: "POST", headers: json, body })).toBe("no-store");
  expect(await cacheControl(`${rpc}/Login`, { method: "POST", headers: json, body: "{}" })).toBe("no-store");
  const query = "?encoding=json&message=%7B%7D&connect=v1";
  const { access_token } = await given.session(service, { user: service.admin });
  const headers = bearerOf(access_token);
  expect(await cacheControl(`${rpc}/GetCurrentUser${query}`, { headers })).toBe("private, no-store");
  expect(await cacheControl(`${rpc}/GetCurrentUser${query}`)).toBe("no-store");
  const keys = `/countersign.v1.TokenService/GetJwks${query}`;
  expect(await cacheControl(keys)).toBe(await cacheControl("/.well-known/jwks.json"));
});

test("Connect names the challenge of a 401, and the methods of a 405", async () => {
  const unauthenticated = await sendJson(`${service.url}${rpc}/GetCurrentUser`, {});
  expect(unauthenticated.headers.get("www-authenticate")).toBe('Bearer realm="countersign"');
  for (const [method, allow] of [
    ["Login", "POST"],
    ["GetCurrentUser", "GET, POST"],
  ]) {
    const answer = await send(`${service.url}${rpc}/${method}`, { method: "PUT" });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, allow]);
  }
});

describe("a gRPC failure", () => {
  const fail = (contentType: string): Promise<H2Answer> =>
    h2.send({
      method: "POST",
      path: `${rpc}/Login`,
      headers: { "content-type": contentType, te: "trailers" },
      body: Buffer.alloc(5),
    });

  test.each(["application/grpc", "application/grpc+proto"])(
    "is 200 with the status in the trailers, under the caller's own content type %s",
    async (contentType) => {
      const { status, headers, trailers, body } = await fail(contentType);
      expect([status, headers["content-type"], body.length]).toEqual([200, contentType, 0]);
      expect(trailers).toMatchObject({ "grpc-status": "3", "grpc-message": "A field is not valid." });
    },
  );

  test("is 200 with the trailers in the body over gRPC-Web", async () => {
    const { status, headers, body } = await fail("application/grpc-web+proto");
    expect([status, headers["content-type"]]).toEqual([200, "application/grpc-web+proto"]);
    expect([body.readUInt8(0), body.readUInt32BE(1)]).toEqual([0x80, body.length - 5]);
    expect(body.subarray(5).toString()).toMatch(/^grpc-status: ?3\r\n/m);
  });

  test("has the request's id among its header fields", async () => {
    expect((await fail("application/grpc")).headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe("a message that its client compresses is read", () => {
  const options = () => ({ baseUrl: service.url, sendCompression: compressionGzip, compressMinBytes: 0 });
  test.each<[string, () => Transport]>([
    ["Connect", () => createConnectTransport({ ...options(), httpVersion: "1.1" })],
    ["gRPC", () => createGrpcTransport(options())],
    ["gRPC-Web", () => createGrpcWebTransport({ ...options(), httpVersion: "2" })],
  ])("over %s", async (_name, createTransport) => {
    const tokens = await createClient(AuthService, createTransport()).login(service.admin);
    expect(tokens).toMatchObject({ tokenType: "bearer", expiresIn: 900 });
  });
});

test("an answer with a secret is never compressed, whatever its caller takes", async () => {
  const answer = await h2.send({
    method: "POST",
    path: "/auth/login",
    headers: { "content-type": "application/json", "accept-encoding": "gzip, br, zstd" },
    body: JSON.stringify(service.admin),
  });
  expect([answer.status, answer.headers["content-encoding"]]).toEqual([200, undefined]);
});
