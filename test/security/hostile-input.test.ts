import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { startService, type TestService } from "../_harness/service.ts";
import { request, sendRaw } from "./raw-http1.ts";
import {
  callConnect,
  callGrpc,
  callGrpcWeb,
  envelope,
  http2Request,
  loginPath,
  protobuf,
  type RpcOutcome,
  withHttp2,
} from "./rpc-calls.ts";
import { expectUnharmed, problem } from "./unharmed.ts";

// its own SQL: a statement is what a caller types.

/** Stands in everything that we send: it must come back in nothing, and reach no log. */
const canary = "canary7f3a";

let service: TestService;
const answers: string[] = [];
beforeAll(async () => {
  service = await startService();
});
afterAll(async () => {
  await expectUnharmed(service);
  await service.stop();
});

const fieldNumbers = {
  grant_type: 1,
  username: 2,
  password: 3,
  scope: 4,
  client_id: 5,
  client_secret: 6,
  device_token: 7,
} as const;
type Field = keyof typeof fieldNumbers;
const fieldNames = Object.keys(fieldNumbers) as Field[];

/** A login with one field as given; the others are as good as any. */
function loginWith(field: Field, value: string): Record<string, string> {
  return { username: `${canary}-user`, password: `${canary}-password`, [field]: value };
}

async function rest(contentType: string, body: string | Uint8Array, headers: Record<string, string> = {}) {
  const answer = await fetch(`${service.url}/auth/login`, {
    method: "POST",
    headers: { "content-type": contentType, ...headers },
    body: typeof body === "string" ? body : new Uint8Array(body),
  });
  const text = await answer.text();
  answers.push(JSON.stringify([...answer.headers]) + text);
  return {
    status: answer.status,
    type: answer.headers.get("content-type"),
    problem: JSON.parse(text) as Record<string, unknown>,
  };
}

async function rpc(call: Promise<RpcOutcome>): Promise<RpcOutcome> {
  const outcome = await call;
  answers.push(outcome.text);
  return outcome;
}

/** Refused for what was sent, in the service's own words. */
function expectRefused(outcome: RpcOutcome): void {
  expect(["InvalidArgument", "Unauthenticated"]).toContain(outcome.code);
  expect(outcome.reason).toMatch(
    /^(malformed_request|validation_failed|invalid_\w+|unsupported_grant_type)$/,
  );
}

describe.each(fieldNames)("in %s", (field) => {
  const number = fieldNumbers[field];
  const binary = (value: string | Uint8Array): Buffer => {
    const others = Object.entries(loginWith(field, "")).filter(([name]) => name !== field);
    return protobuf([
      ...others.map(([name, text]) => [fieldNumbers[name as Field], text] as const),
      [number, value],
    ]);
  };

  test.each([
    ["a null byte", `${canary}\0x`],
    ["control characters", `${canary}\x01\x1b[2J\x7f`],
    ["line ends", `${canary}\r\nset-cookie: a=b`],
    ["10,000 characters", canary.repeat(1_000)],
    ["characters of four bytes", `${canary}\u{1f600}`.repeat(500)],
    ["direction marks and ligatures", `${canary}\u202e\ufdfa\u0130`],
    ["SQL", `${canary}'; DROP TABLE users; --`],
  ])("%s is refused over every protocol", async (_, value) => {
    const fields = loginWith(field, value);
    const json = JSON.stringify(fields);
    for (const { status, type } of [
      await rest("application/x-www-form-urlencoded", new URLSearchParams(fields).toString()),
      await rest("application/json", json),
    ]) {
      expect([400, 401, 422]).toContain(status);
      expect(type).toBe("application/problem+json");
    }
    const message = envelope(binary(value));
    const proto = { "content-type": "application/proto" };
    for (const call of [
      callConnect(service.url, { body: Buffer.from(json) }),
      callConnect(service.url, { headers: proto, body: binary(value) }),
      callGrpc(service.url, { body: message }),
      callGrpcWeb(service.url, { body: message }),
    ]) {
      expectRefused(await rpc(call));
    }
  });

  test("half of a surrogate pair in JSON is refused", async () => {
    const json = JSON.stringify(loginWith(field, canary)).replace(`"${canary}"`, `"${canary}\\ud800"`);
    expect(json).toContain("ud800");
    expect((await rest("application/json", json)).status).toBe(400);
    expectRefused(await rpc(callConnect(service.url, { body: Buffer.from(json) })));
  });

  test("bytes that are not UTF-8 are refused", async () => {
    const bad = Buffer.concat([Buffer.from(canary), Buffer.from([0xc3, 0x28])]);
    const others = Object.entries(loginWith(field, "")).filter(([name]) => name !== field);
    const form = `${new URLSearchParams(others).toString()}&${field}=${canary}`;
    expect((await rest("application/x-www-form-urlencoded", `${form}%C3%28`)).status).toBe(400);
    expect((await rest("application/x-www-form-urlencoded", `${form}%`)).status).toBe(400);
    expect(
      (await rest("application/x-www-form-urlencoded", Buffer.concat([Buffer.from(form), bad]))).status,
    ).toBe(400);
    const json = Buffer.concat([Buffer.from(`{"${field}":"`), bad, Buffer.from('"}')]);
    expect((await rest("application/json", json)).status).toBe(400);
    expectRefused(await rpc(callConnect(service.url, { body: json })));
    expectRefused(
      await rpc(
        callConnect(service.url, { headers: { "content-type": "application/proto" }, body: binary(bad) }),
      ),
    );
    expectRefused(await rpc(callGrpc(service.url, { body: envelope(binary(bad)) })));
  });

  test.each([
    ["a number", "7"],
    ["a huge number", "1e400"],
    ["a number of many digits", "9".repeat(1_000)],
    ["true", "true"],
    ["an array", `["${canary}"]`],
    ["an object", `{"${canary}":1}`],
  ])("%s in place of a text is refused", async (_, literal) => {
    const json = `{"${field}":${literal}}`;
    expect([400, 422]).toContain((await rest("application/json", json)).status);
    expectRefused(await rpc(callConnect(service.url, { body: Buffer.from(json) })));
  });

  test("a second value is refused", async () => {
    const form = new URLSearchParams(loginWith(field, canary)).toString();
    expect((await rest("application/x-www-form-urlencoded", `${form}&${field}=${canary}`)).status).toBe(400);
    const json = JSON.stringify(loginWith(field, canary)).replace("{", `{"${field}":"${canary}",`);
    expect((await rest("application/json", json)).status).toBe(400);
  });
});

describe("a body", () => {
  test.each([
    ["nothing", ""],
    ["a text", `"${canary}"`],
    ["null", "null"],
    ["an array", "[]"],
    ["a half object", `{"username":"${canary}`],
    ["two objects", "{}{}"],
    ["60,000 open brackets", "[".repeat(60_000)],
    ["30,000 nested arrays", "[".repeat(30_000) + "]".repeat(30_000)],
    ["10,000 nested objects", '{"a":'.repeat(10_000) + "1" + "}".repeat(10_000)],
    ["nested objects in an unknown member", `{"${canary}":${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}}`],
    ["a huge number in an unknown member", `{"${canary}":1e99999}`],
    ["__proto__", `{"__proto__":{"username":"${canary}"},"constructor":1}`],
  ])("of JSON that is %s is refused", async (_, json) => {
    const { status } = await rest("application/json", json);
    expect([400, 422]).toContain(status);
    expectRefused(await rpc(callConnect(service.url, { body: Buffer.from(json) })));
  });

  test("of 100,000 levels is refused, as too large", async () => {
    expect((await rest("application/json", "[".repeat(100_000))).status).toBe(413);
  });

  test.each([
    ["a text that is longer than its message", Buffer.from([0x12, 0x7f, 0x61])],
    ["a field number of nought", Buffer.from([0x02, 0x00])],
    ["an unknown wire type", Buffer.from([0x16, 0x00])],
    ["a varint without end", Buffer.alloc(20, 0xff)],
    ["groups without end", Buffer.alloc(30_000, 0x0b)],
    ["a length of four GiB", Buffer.from([0x12, 0xff, 0xff, 0xff, 0xff, 0x0f])],
    ["a number in place of a text", Buffer.from([0x10, 0x07])],
  ])("of protobuf that is %s is refused", async (_, body) => {
    expectRefused(
      await rpc(callConnect(service.url, { headers: { "content-type": "application/proto" }, body })),
    );
    expectRefused(await rpc(callGrpc(service.url, { body: envelope(body) })));
    expectRefused(await rpc(callGrpcWeb(service.url, { body: envelope(body) })));
  });
});

describe("a header", () => {
  const json = JSON.stringify({ username: canary, password: canary });

  test.each([
    ["Content-Type", "text/plain"],
    ["Content-Type", "multipart/form-data; boundary=a"],
    ["Content-Type", "application/json; charset=utf-16"],
    ["Content-Type", "application/json; charset=iso-8859-1"],
    ["Content-Type", canary],
    ["Content-Type", "application/"],
    ["Content-Type", ";;;"],
    ["Content-Type", `application/${canary}+json`],
    ["Content-Encoding", "gzip"],
    ["Content-Encoding", "br"],
    ["Content-Encoding", canary],
    ["Content-Encoding", "identity, gzip"],
  ])("%s: %s is not taken by REST", async (name, value) => {
    const body = value === "gzip" ? gzipSync(json) : json;
    const { status, problem: given } = await rest("application/json", body, { [name.toLowerCase()]: value });
    expect(status).toBe(415);
    expect(given).toEqual(problem(service, "unsupported_media_type", String(given["detail"])));
  });

  test.each([
    "Basic ",
    "Basic %%%",
    "Basic !",
    `Basic ${Buffer.from("a\0:b").toString("base64")}`,
    `Basic ${Buffer.from([0xff, 0x3a]).toString("base64")}`,
    "Basic YTpi, Basic YTpi",
    `Digest ${canary}`,
    canary,
  ])("Authorization: %s makes no 5xx", async (authorization) => {
    const { status } = await rest("application/json", json, { authorization });
    expect([400, 401, 422]).toContain(status);
    const body = Buffer.from(json);
    expectRefused(await rpc(callConnect(service.url, { headers: { authorization }, body })));
  });

  test.each([
    ["grpc-timeout", "1"],
    ["grpc-timeout", "S"],
    ["grpc-timeout", "-1S"],
    ["grpc-timeout", "1.5S"],
    ["grpc-timeout", "999999999S"],
    ["grpc-timeout", canary],
  ])("%s: %s is refused by gRPC and gRPC-Web", async (name, value) => {
    const sent = { headers: { [name]: value }, body: envelope(Buffer.alloc(0)) };
    const expected = { code: "InvalidArgument", reason: "malformed_request" };
    expect(await rpc(callGrpc(service.url, sent))).toMatchObject(expected);
    expect(await rpc(callGrpcWeb(service.url, sent))).toMatchObject(expected);
  });

  test.each([
    ["connect-timeout-ms", "1.5", "malformed_request"],
    ["connect-timeout-ms", "-1", "malformed_request"],
    ["connect-timeout-ms", "99999999999", "malformed_request"],
    ["connect-timeout-ms", canary, "malformed_request"],
    ["connect-protocol-version", "2", "malformed_request"],
    ["connect-protocol-version", canary, "malformed_request"],
    ["content-encoding", "br", "unsupported_media_type"],
    ["content-encoding", canary, "unsupported_media_type"],
    ["content-type", "application/json; charset=utf-16", "unsupported_media_type"],
    ["content-type", "application/xml", "unsupported_media_type"],
  ])("%s: %s is refused by Connect", async (name, value, reason) => {
    const outcome = await rpc(
      callConnect(service.url, { headers: { [name]: value }, body: Buffer.from(json) }),
    );
    // What a codec cannot decompress has a code of its own.
    const code = name === "content-encoding" ? "Unimplemented" : "InvalidArgument";
    expect(outcome).toMatchObject({ code, reason });
    expect(outcome.httpStatus).toBe(reason === "malformed_request" ? 400 : 415);
  });

  test("grpc-encoding that is not known is refused", async () => {
    for (const encoding of ["br", "snappy", canary]) {
      const sent = { headers: { "grpc-encoding": encoding }, body: envelope(Buffer.alloc(0)) };
      expect(await rpc(callGrpc(service.url, sent))).toMatchObject({ reason: "unsupported_media_type" });
    }
  });
});

describe("a gRPC frame", () => {
  const message = protobuf([
    [2, canary],
    [3, canary],
  ]);

  test.each([
    ["nothing", Buffer.alloc(0)],
    ["half of a prefix", Buffer.from([0, 0])],
    ["a length that is too long", envelope(message, 0, message.byteLength + 1)],
    ["a length that is too short", envelope(message, 0, message.byteLength - 1)],
    ["a length of four GiB", envelope(message, 0, 0xffff_ffff)],
    ["two messages", Buffer.concat([envelope(message), envelope(message)])],
    ["an unknown flag", envelope(message, 0x40)],
    ["the flag of trailers", envelope(message, 0x80)],
    ["a compressed message without an encoding", envelope(message, 1)],
  ])("that is %s is refused", async (_, body) => {
    const expected = { httpStatus: 200, code: "InvalidArgument", reason: "malformed_request" };
    expect(await rpc(callGrpc(service.url, { body }))).toMatchObject(expected);
    expect(await rpc(callGrpcWeb(service.url, { body }))).toMatchObject(expected);
  });

  test("that says gzip and is none is refused", async () => {
    const headers = { "grpc-encoding": "gzip" };
    const cut = gzipSync(message).subarray(0, 15);
    for (const body of [envelope(message, 1), envelope(cut, 1), envelope(Buffer.alloc(0), 1)]) {
      expect(await rpc(callGrpc(service.url, { headers, body }))).toMatchObject({
        reason: "malformed_request",
      });
    }
  });
});

describe("a path", () => {
  test("of no RPC is told by each protocol in its own way", async () => {
    const path = `/countersign.v1.AuthService/${canary}`;
    const [grpc, grpcWeb, connect] = [
      await rpc(callGrpc(service.url, { path, body: envelope(Buffer.alloc(0)) })),
      await rpc(callGrpcWeb(service.url, { path, body: envelope(Buffer.alloc(0)) })),
      await rpc(callConnect(service.url, { path, body: Buffer.from("{}") })),
    ];
    expect(grpc).toMatchObject({ httpStatus: 200, code: "Unimplemented", reason: "not_found" });
    expect(grpcWeb).toMatchObject({ httpStatus: 200, code: "Unimplemented", reason: "not_found" });
    expect(connect).toMatchObject({ httpStatus: 404, code: "Unimplemented", reason: "not_found" });
    for (const other of ["/", `/${canary}`, "/__proto__/constructor", `/countersign.v1.${canary}/Login`]) {
      const outcome = await rpc(callGrpc(service.url, { path: other, body: envelope(Buffer.alloc(0)) }));
      expect(outcome).toMatchObject({ code: "Unimplemented", reason: "not_found" });
    }
  });

  test("of a login is not taken by GET, over Connect and REST", async () => {
    const query = `?connect=v1&encoding=json&message=${encodeURIComponent(`{"username":"${canary}"}`)}`;
    const connect = await rpc(
      callConnect(service.url, { path: loginPath + query, body: Buffer.alloc(0) }, "GET"),
    );
    expect(connect).toMatchObject({ httpStatus: 405, reason: "method_not_allowed" });
    const rest = await fetch(`${service.url}/auth/login?username=${canary}&password=${canary}`);
    answers.push(await rest.text());
    expect([rest.status, rest.headers.get("allow")]).toEqual([405, "OPTIONS, POST"]);
  });

  test("with credentials in its query is refused", async () => {
    const answer = await fetch(`${service.url}/auth/login?password=${canary}`, {
      method: "POST",
      body: new URLSearchParams(service.admin),
    });
    answers.push(await answer.text());
    expect(answer.status).toBe(400);
  });
});

test("nothing that stands anywhere in a request comes back or is logged", async () => {
  const lines = [
    `GET /${canary}/x?${canary}=${canary}`,
    `${canary.toUpperCase()} /x`,
    `GET /livez?verbose=${canary}`,
    `GET /problems/${canary}`,
    `DELETE /auth/login?${canary}`,
    `GET /auth/me?access_token=${canary}`,
  ];
  const headers = [
    `X-${canary}: ${canary}`,
    `Authorization: Bearer ${canary}`,
    `Accept: application/${canary}`,
    `X-Request-Id: ${canary} ${canary}`,
    `X-Forwarded-For: ${canary}`,
    `User-Agent: ${canary}`,
    `Cookie: ${canary}=${canary}`,
    `Referer: http://${canary}/`,
  ];
  for (const line of lines) {
    for (const host of ["Host: localhost", `Host: ${canary}`, `Host: [${canary}`]) {
      const { answers: given } = await sendRaw(service.port, [request(line, headers, "", [host])]);
      answers.push(...given.map((answer) => JSON.stringify(answer)));
      expect(given[0]?.status ?? 400).toBeLessThan(500);
    }
  }
  await withHttp2(service.url, async (session) => {
    for (const path of [`/${canary}`, "/auth/me", `/livez?${canary}`]) {
      const sent = {
        ":path": path,
        authorization: `Bearer ${canary}`,
        [`x-${canary}`]: canary,
        "user-agent": canary,
      };
      const outcome = await http2Request(session, sent);
      answers.push(JSON.stringify(outcome.headers) + outcome.body.toString());
    }
  });
  // Those of every test above are among them.
  expect(answers.length).toBeGreaterThan(100);
  expect(answers.filter((text) => text.includes(canary))).toEqual([]);
  expect(service.output()).not.toContain(canary);
});
