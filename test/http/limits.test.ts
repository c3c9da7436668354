import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { constants } from "node:http2";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { startService, type TestService } from "../_harness/service.ts";
import { collect, request, sendRaw } from "../security/raw-http1.ts";
import {
  bomb,
  callConnect,
  callGrpc,
  callGrpcWeb,
  envelope,
  grpcOutcome,
  http2Request,
  loginPath,
  withHttp2,
} from "../security/rpc-calls.ts";
import { expectUnharmed, loginForm, problem } from "../security/unharmed.ts";

let service: TestService;
beforeAll(async () => {
  service = await startService({ env: { HEADER_TIMEOUT: "500ms", BODY_TIMEOUT: "500ms" } });
});
afterAll(async () => {
  await expectUnharmed(service);
  await service.stop();
});

const uriDetail = "The request target is longer than 8192 bytes.";
const headerDetail = "The header is larger than 16384 bytes.";
const bodyDetail = "The body is larger than 65536 bytes.";
const form = "Content-Type: application/x-www-form-urlencoded";
const megabytes10 = 10_000_000;

describe("414", () => {
  test.each([
    ["of 8 KiB and a byte", 8_192],
    ["of 9 KiB", 9_000],
    ["beyond what the parser takes", 40_000],
    ["of a megabyte", 1_000_000],
  ])("a target %s is too long", async (_, length) => {
    const { answers } = await sendRaw(service.port, [request(`GET /${"a".repeat(length)}`)]);
    expect(answers[0]?.status).toBe(414);
    expect(JSON.parse(answers[0]?.body ?? "")).toEqual(problem(service, "uri_too_long", uriDetail));
  });

  test.each([5, 20_000, 30_000, 33_000])(
    "a target that comes in two packets, cut at byte %i, is told as one",
    async (at) => {
      const bytes = request(`GET /${"a".repeat(100_000)}`);
      const { answers } = await sendRaw(service.port, [bytes.slice(0, at), bytes.slice(at)], { pauseMs: 50 });
      expect(answers[0]?.status).toBe(414);
    },
  );

  test("a header that comes in two packets, behind a whole request line, is no long target", async () => {
    const bytes = request("GET /", [`x: ${"a".repeat(100_000)}`]);
    const { answers } = await sendRaw(service.port, [bytes.slice(0, 20_000), bytes.slice(20_000)], {
      pauseMs: 50,
    });
    expect(answers[0]?.status).toBe(431);
  });

  test("a target of 8 KiB is not too long, and a long query counts", async () => {
    const { answers: fits } = await sendRaw(service.port, [request(`GET /${"a".repeat(8_191)}`)]);
    expect(fits[0]?.status).toBe(404);
    const { answers } = await sendRaw(service.port, [request(`GET /livez?${"a".repeat(9_000)}`)]);
    expect(answers[0]?.status).toBe(414);
  });

  test("over HTTP/2, also for RPCs", async () => {
    await withHttp2(service.url, async (session) => {
      const long = `/${"a".repeat(9_000)}`;
      const rest = await http2Request(session, { ":path": long });
      expect(JSON.parse(rest.body.toString())).toEqual(problem(service, "uri_too_long", uriDetail));
      const grpc = await http2Request(session, {
        ":method": "POST",
        ":path": long,
        "content-type": "application/grpc",
      });
      expect(grpcOutcome(grpc)).toMatchObject({
        httpStatus: 200,
        code: "InvalidArgument",
        reason: "uri_too_long",
      });
    });
    const path = `${loginPath}?${"a".repeat(9_000)}`;
    const connect = await callConnect(service.url, { path, body: Buffer.from("{}") });
    expect(connect).toMatchObject({ httpStatus: 414, code: "InvalidArgument", reason: "uri_too_long" });
  });
});

describe("431", () => {
  test.each([
    ["of one long line", [`x: ${"a".repeat(17_000)}`], headerDetail],
    ["of many lines", Array.from({ length: 120 }, () => "x: a"), "The header has more than 100 lines."],
    [
      "of more lines than the parser keeps",
      Array.from({ length: 1_500 }, () => "x:a"),
      "The header is too large.",
    ],
    ["beyond what the parser takes", [`x: ${"a".repeat(40_000)}`], "The header is too large."],
    ["of a megabyte", [`x: ${"a".repeat(1_000_000)}`], "The header is too large."],
  ])("a header %s is too large", async (_, lines, detail) => {
    const { answers, end } = await sendRaw(service.port, [request("GET /livez", lines)]);
    expect(end).not.toBe("reset");
    expect(answers[0]?.status).toBe(431);
    expect(JSON.parse(answers[0]?.body ?? "")).toEqual(problem(service, "headers_too_large", detail));
  });

  test("a header of 15 KiB is taken", async () => {
    const { answers } = await sendRaw(service.port, [request("GET /livez", [`x: ${"a".repeat(15_000)}`])]);
    expect(answers[0]?.status).toBe(200);
  });

  test("over HTTP/2, also for RPCs", async () => {
    await withHttp2(service.url, async (session) => {
      const rest = await http2Request(session, { ":path": "/livez", x: "a".repeat(20_000) });
      expect(JSON.parse(rest.body.toString())).toEqual(problem(service, "headers_too_large", headerDetail));
      const many = Object.fromEntries(Array.from({ length: 110 }, (_, index) => [`x${index}`, "a"]));
      expect((await http2Request(session, { ":path": "/livez", ...many })).headers[":status"]).toBe(431);
    });
    const headers = { x: "a".repeat(20_000) };
    const [grpc, grpcWeb, connect] = await Promise.all([
      callGrpc(service.url, { headers, body: envelope(Buffer.alloc(0)) }),
      callGrpcWeb(service.url, { headers, body: envelope(Buffer.alloc(0)) }),
      callConnect(service.url, {
        headers: { x: "a".repeat(15_500), y: "a".repeat(1_000) },
        body: Buffer.from("{}"),
      }),
    ]);
    expect(grpc).toMatchObject({ httpStatus: 200, code: "ResourceExhausted", reason: "headers_too_large" });
    expect(grpcWeb).toMatchObject({
      httpStatus: 200,
      code: "ResourceExhausted",
      reason: "headers_too_large",
    });
    expect(connect).toMatchObject({
      httpStatus: 431,
      code: "ResourceExhausted",
      reason: "headers_too_large",
    });
  });

  test("more lines than an HTTP/2 session takes reset the stream (ENHANCE_YOUR_CALM), and the session goes on", async () => {
    await withHttp2(service.url, async (session) => {
      const many = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`x${index}`, "a"]));
      const outcome = await http2Request(session, { ":path": "/livez", ...many });
      expect(outcome).toMatchObject({ headers: {}, code: constants.NGHTTP2_ENHANCE_YOUR_CALM });
      expect((await http2Request(session, { ":path": "/livez" })).headers[":status"]).toBe(200);
    });
  });
});

describe("413", () => {
  test("an announced length that is too much is answered before any of it comes", async () => {
    const head = `POST /auth/login HTTP/1.1\r\nHost: a\r\n${form}\r\nContent-Length: ${megabytes10}\r\n\r\n`;
    const { answers } = await sendRaw(service.port, [head]);
    expect(answers[0]?.status).toBe(413);
    expect(JSON.parse(answers[0]?.body ?? "")).toEqual(problem(service, "payload_too_large", bodyDetail));
  });

  test("a client that sends all of a body that is too long gets its answer, and can use the connection again", async () => {
    const body = "a".repeat(200_000);
    const next = request("GET /livez");
    const { answers } = await sendRaw(service.port, [request("POST /auth/login", [form], body), next], {
      answers: 2,
    });
    expect(answers.map(({ status }) => status)).toEqual([413, 200]);
  });

  test("a chunked body is refused where it becomes too long, and its endless rest is cut off", async () => {
    const socket = connect(service.port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(`POST /auth/login HTTP/1.1\r\nHost: a\r\n${form}\r\nTransfer-Encoding: chunked\r\n\r\n`);
    const chunk = `4000\r\n${"a".repeat(16_384)}\r\n`;
    const sending = setInterval(() => socket.writable && socket.write(chunk), 10);
    const outcome = await collect(socket, 4_000, 0);
    clearInterval(sending);
    expect(outcome.answers.map(({ status }) => status)).toEqual([413]);
    expect(outcome.end).not.toBe("open");
    expect(outcome.tookMs).toBeLessThan(2_500);
  });

  test("chunk extensions without end are refused", async () => {
    const head = `POST /auth/login HTTP/1.1\r\nHost: a\r\n${form}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const { answers, end } = await sendRaw(
      service.port,
      [`${head}1;${"a".repeat(70_000)}\r\na\r\n0\r\n\r\n`],
      { answers: 0 },
    );
    expect(answers[0]).toMatchObject({ status: 413, headers: { connection: "close" } });
    expect(end).toBe("ended");
  });

  test("over HTTP/2 the answer comes before the upload ends, which is then reset without an error", async () => {
    await withHttp2(service.url, async (session) => {
      const post = { ":method": "POST", ":path": "/auth/login", "content-type": "application/json" };
      for (const headers of [post, { ...post, "content-length": String(megabytes10) }]) {
        const outcome = await http2Request(session, headers, "open", Buffer.alloc(100_000, "a"));
        expect(JSON.parse(outcome.body.toString())).toEqual(
          problem(service, "payload_too_large", bodyDetail),
        );
        expect(outcome.code).toBe(constants.NGHTTP2_NO_ERROR);
      }
      expect((await http2Request(session, { ":path": "/livez" })).headers[":status"]).toBe(200);
    });
  });

  test("over gRPC, gRPC-Web and Connect", async () => {
    const big = Buffer.alloc(1_000_000);
    await withHttp2(service.url, async (session) => {
      const headers = {
        ":method": "POST",
        ":path": loginPath,
        "content-type": "application/grpc",
        te: "trailers",
      };
      const outcome = await http2Request(
        session,
        headers,
        "open",
        envelope(Buffer.alloc(100_000), 0, megabytes10),
      );
      expect(grpcOutcome(outcome)).toMatchObject({ code: "ResourceExhausted", reason: "payload_too_large" });
      expect(outcome.code).toBe(constants.NGHTTP2_NO_ERROR);
    });
    const [grpc, grpcWeb, connect] = await Promise.all([
      callGrpc(service.url, { body: envelope(big) }),
      callGrpcWeb(service.url, { body: envelope(big) }),
      callConnect(service.url, { body: big }),
    ]);
    expect(grpc).toMatchObject({ httpStatus: 200, code: "ResourceExhausted", reason: "payload_too_large" });
    expect(grpcWeb).toMatchObject({
      httpStatus: 200,
      code: "ResourceExhausted",
      reason: "payload_too_large",
    });
    expect(connect).toMatchObject({
      httpStatus: 429,
      code: "ResourceExhausted",
      reason: "payload_too_large",
    });
  });

  test("a gzip bomb is put out", async () => {
    const expected = { code: "ResourceExhausted", reason: "payload_too_large" };
    const body = bomb(50_000_000);
    expect(body.byteLength).toBeLessThan(65_000);
    const [grpc, grpcWeb, connect] = await Promise.all([
      callGrpc(service.url, { headers: { "grpc-encoding": "gzip" }, body: envelope(body, 1) }),
      callGrpcWeb(service.url, { headers: { "grpc-encoding": "gzip" }, body: envelope(body, 1) }),
      callConnect(service.url, { headers: { "content-encoding": "gzip" }, body }),
    ]);
    expect([grpc, grpcWeb, connect]).toEqual([expected, expected, expected].map(expect.objectContaining));
  });

  test("a message that gzip makes small enough is read", async () => {
    const json = gzipSync(JSON.stringify(service.admin));
    expect(
      await callConnect(service.url, { headers: { "content-encoding": "gzip" }, body: json }),
    ).toMatchObject({ code: "Ok" });
  });

  test("bodies that are too long leave no memory behind", async () => {
    const residentMib = async (): Promise<number> => {
      const match = /VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${service.pid}/status`, "utf8"));
      return Number(match?.[1]) / 1024;
    };
    const body = "a".repeat(megabytes10);
    const send = (): Promise<unknown> => sendRaw(service.port, [request("POST /auth/login", [form], body)]);
    const sendRounds = async (rounds: number): Promise<void> => {
      for (let round = 0; round < rounds; round++) await Promise.all([send(), send()]);
    };
    // What is collected late stays a while, however much is sent.
    await sendRounds(4);
    const before = await residentMib();
    await sendRounds(24);
    expect((await residentMib()) - before).toBeLessThan(100);
  });
});

test("Expect: 100-continue is told to go on, or refused before the body", async () => {
  const body = loginForm(service);
  const head = (length: number, expectation: string): string =>
    `POST /auth/login HTTP/1.1\r\nHost: a\r\n${form}\r\nContent-Length: ${length}\r\nExpect: ${expectation}\r\n\r\n`;
  const fits = await sendRaw(service.port, [head(body.length, "100-continue"), body], {
    pauseMs: 50,
    answers: 2,
  });
  expect(fits.answers.map(({ status }) => status)).toEqual([100, 200]);
  const tooLong = await sendRaw(service.port, [head(megabytes10, "100-continue")], { answers: 0 });
  expect(tooLong.answers).toMatchObject([{ status: 413, headers: { connection: "close" } }]);
  expect(tooLong.end).toBe("ended");
  const unknown = await sendRaw(service.port, [head(body.length, "a-miracle"), body]);
  expect(unknown.answers[0]?.status).toBe(200);
});
