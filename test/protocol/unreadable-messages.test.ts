import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type H2Answer, openH2 } from "../_harness/h2-request.ts";
import { startService, type TestService } from "../_harness/service.ts";

// What RPC clients never send, so that it is written by hand. None of it may pass for a mistake of ours.

let service: TestService;
let h2: ReturnType<typeof openH2>;
beforeAll(async () => {
  service = await startService();
  h2 = openH2(service.url);
});
afterAll(async () => {
  h2.close();
  await service.stop();
});

const login = "/countersign.v1.AuthService/Login";
const watch = "/grpc.health.v1.Health/Watch";
const reflect = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

function post(path: string, contentType: string, body: string | Uint8Array, more = {}): Promise<H2Answer> {
  return h2.send({
    method: "POST",
    path,
    headers: { "content-type": contentType, te: "trailers", ...more },
    body,
  });
}

function envelope(data: string | Uint8Array, flags = 0, length?: number): Buffer {
  const bytes = Buffer.from(data);
  const head = Buffer.alloc(5);
  head.writeUInt8(flags);
  head.writeUInt32BE(length ?? bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** A string field, by number. */
function field(number: number, value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.of(number * 8 + 2, bytes.length), bytes]);
}

const password = field(3, "correct horse battery");
const binaries: [string, Buffer][] = [
  ["a username that is not UTF-8", Buffer.concat([field(2, Buffer.of(0xff, 0xfe)), password])],
  ["a password that is not UTF-8", Buffer.concat([field(2, "admin"), field(3, Buffer.of(0x80))])],
  ["a surrogate in UTF-8", Buffer.concat([field(2, Buffer.of(0xed, 0xa0, 0x80)), password])],
  ["a length beyond the end", Buffer.of(0x12, 0x7f, 0x61)],
  ["a tag that is cut off", Buffer.of(0x92)],
  ["the field number 0", Buffer.of(0x02, 0x01, 0x61)],
  ["a group that does not end", Buffer.of(0x13)],
  ["groups a thousand deep", Buffer.alloc(1000, 0x13)],
  ["a varint without an end", Buffer.alloc(32, 0xff)],
  ["a JSON text", Buffer.from('{"username":"admin"}')],
];
const jsons: [string, string | Buffer][] = [
  ["nothing", ""],
  ["no JSON", "{"],
  ["a list", "[]"],
  ["null", "null"],
  ["a number for a text", '{"username":1}'],
  ["a list for a text", '{"username":["admin"]}'],
  ["a lone surrogate", '{"username":"\\ud800","password":"x"}'],
  ["bytes that are not UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ["a member twice", '{"username":"admin","password":"a","password":"b"}'],
  ["arrays ten thousand deep", `{"x":${"[".repeat(10_000)}${"]".repeat(10_000)}}`],
];

function expectConnect(answer: H2Answer, code: string, reason: string): void {
  const body = JSON.parse(answer.body.toString()) as { code: string; details: { debug: object }[] };
  expect(body).toMatchObject({ code, details: [{ debug: { reason, domain: "countersign" } }] });
}

describe("a Connect call", () => {
  test.each(binaries)("with %s is malformed_request", async (_what, message) => {
    const answer = await post(login, "application/proto", message);
    expect(answer.status).toBe(400);
    expectConnect(answer, "invalid_argument", "malformed_request");
  });

  test.each(jsons)("whose JSON is %s is malformed_request", async (_what, message) => {
    const answer = await post(login, "application/json", message);
    expect(answer.status).toBe(400);
    expectConnect(answer, "invalid_argument", "malformed_request");
  });

  test.each([
    ["another version", { "connect-protocol-version": "2" }],
    ["a timeout that is no number", { "connect-timeout-ms": "soon" }],
    ["a message that is not compressed as it says", { "content-encoding": "gzip" }],
  ])("with %s is malformed_request", async (_what, headers) => {
    const answer = await post(login, "application/json", '{"username":"a","password":"b"}', headers);
    expectConnect(answer, "invalid_argument", "malformed_request");
  });

  test("whose message grows beyond the limit when it is decompressed is payload_too_large", async () => {
    const { gzipSync } = await import("node:zlib");
    const bomb = gzipSync(Buffer.alloc(10_000_000, " "));
    const answer = await post(login, "application/json", bomb, { "content-encoding": "gzip" });
    expectConnect(answer, "resource_exhausted", "payload_too_large");
  });

  test.each([
    ["text/plain", 415],
    ["application/xml", 415],
    ["application/json; charset=latin1", 415],
  ])("of the type %s is unsupported_media_type", async (contentType, status) => {
    const answer = await post(login, contentType, "{}");
    expect(answer.status).toBe(status);
    expectConnect(answer, "invalid_argument", "unsupported_media_type");
  });

  test("by GET is refused where the RPC changes anything, so that no password stands in an address", async () => {
    const query = "?encoding=json&message=%7B%22username%22%3A%22admin%22%2C%22password%22%3A%22x%22%7D";
    const answer = await h2.send({ method: "GET", path: login + query });
    expect([answer.status, answer.headers["allow"]]).toEqual([405, "POST"]);
    expectConnect(answer, "unimplemented", "method_not_allowed");
  });

  test.each([
    "",
    "?encoding=xml",
    "?encoding=json&message=%7B",
    "?encoding=json&base64=1&message=%21",
    "?encoding=proto&base64=1&message=_w",
  ])("by GET with the query %j is refused", async (query) => {
    const answer = await h2.send({ method: "GET", path: `/countersign.v1.TokenService/GetJwks${query}` });
    expect([400, 415]).toContain(answer.status);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ code: "invalid_argument" });
  });

  test("of an RPC that does not exist is not_found", async () => {
    const answer = await post("/countersign.v1.AuthService/Nothing", "application/json", "{}");
    expect(answer.status).toBe(404);
    expectConnect(answer, "unimplemented", "not_found");
  });
});

const envelopes: [string, Buffer][] = [
  ...binaries.map(([what, message]): [string, Buffer] => [what, envelope(message)]),
  ["no message", Buffer.alloc(0)],
  ["half a prefix", Buffer.of(0, 0, 0)],
  ["a length beyond the end", envelope("abc", 0, 1000)],
  ["a length of four gigabytes", envelope("abc", 0, 0xffff_ffff)],
  ["unknown flags", envelope("", 0x40)],
  ["two messages", Buffer.concat([envelope(""), envelope("")])],
  ["a compressed message without an encoding", envelope("abc", 1)],
];

function grpcStatus(answer: H2Answer): string | undefined {
  const status = answer.trailers["grpc-status"] ?? answer.headers["grpc-status"];
  return Array.isArray(status) ? status[0] : status;
}

function grpcWebStatus(answer: H2Answer): string | undefined {
  return /grpc-status: ?(\d+)/.exec(answer.body.toString("latin1"))?.[1] ?? grpcStatus(answer);
}

describe("a gRPC call", () => {
  test.each(envelopes)("with %s is INVALID_ARGUMENT", async (_what, body) => {
    expect(grpcStatus(await post(login, "application/grpc", body))).toBe("3");
    expect(grpcWebStatus(await post(login, "application/grpc-web+proto", body))).toBe("3");
  });

  test("of an RPC that does not exist is UNIMPLEMENTED", async () => {
    expect(
      grpcStatus(await post("/countersign.v1.AuthService/Nothing", "application/grpc", envelope(""))),
    ).toBe("12");
    expect(grpcStatus(await post("/auth/login", "application/grpc", envelope("")))).toBe("12");
  });
});

// INTERNAL, UNKNOWN and DATA_LOSS.
const oursToBlame = ["13", "2", "15"];
const broken: [string, Buffer][] = [
  ["a text that is not UTF-8", envelope(field(1, Buffer.of(0xff)))],
  ["a length beyond the end", envelope("abc", 0, 1000)],
  ["half a prefix", Buffer.of(0, 0, 0)],
  ["a compressed message without an encoding", envelope("abc", 1)],
  ["a message that is too long", envelope(Buffer.alloc(70_000))],
  ["a broken field", envelope(Buffer.of(0x92))],
];

describe("a stream with", () => {
  test.each(broken)("%s does not pass for a mistake of ours", async (_what, body) => {
    for (const path of [watch, reflect]) {
      const grpc = await post(path, "application/grpc", body);
      expect(oursToBlame).not.toContain(grpcStatus(grpc) ?? "13");
      const web = await post(path, "application/grpc-web", body);
      expect(oursToBlame).not.toContain(grpcWebStatus(web) ?? "13");
      const connect = await post(path, "application/connect+proto", body);
      expect(connect.body.toString("latin1")).toMatch(/"code":"(?!internal|unknown|data_loss)/);
    }
  });
});

test("nothing of all this was logged as an error", () => {
  expect(service.logs().filter(({ level }) => level === "error")).toEqual([]);
});
