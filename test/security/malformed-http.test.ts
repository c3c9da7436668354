import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { startService, type TestService } from "../_harness/service.ts";
import { eventually } from "../_harness/eventually.ts";
import { request, sendRaw } from "./raw-http1.ts";
import { expectUnharmed, loginForm, problem } from "./unharmed.ts";

let service: TestService;
beforeAll(async () => {
  service = await startService({ env: { HEADER_TIMEOUT: "500ms", BODY_TIMEOUT: "500ms" } });
});
afterAll(async () => {
  await expectUnharmed(service);
  await service.stop();
});

const detail = "The request is not well-formed HTTP.";
const host = "Host: localhost\r\n";
const post = `POST /auth/login HTTP/1.1\r\n${host}Content-Type: application/json\r\n`;
const smuggled = `GET /livez HTTP/1.1\r\n${host}\r\n`;
const clientHello = Buffer.from(`16030100f8010000f40303${"00".repeat(32)}00`, "hex");

describe("is answered with 400, once, and the connection closed", () => {
  test.each<[string, string | Uint8Array]>([
    [
      "Transfer-Encoding beside Content-Length",
      `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    ],
    [
      "Content-Length beside Transfer-Encoding",
      `${post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${smuggled}`,
    ],
    ["two lengths that differ", `${post}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}${smuggled}`],
    ["two lengths that are equal", `${post}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}${smuggled}`],
    ["a list of lengths", `${post}Content-Length: 2, 2\r\n\r\n{}${smuggled}`],
    ["a negative length", `${post}Content-Length: -1\r\n\r\n${smuggled}`],
    ["a length with a sign", `${post}Content-Length: +2\r\n\r\n{}${smuggled}`],
    ["a hexadecimal length", `${post}Content-Length: 0x2\r\n\r\n{}${smuggled}`],
    ["a length beyond 64 bits", `${post}Content-Length: 99999999999999999999\r\n\r\n`],
    ["a coding after chunked", `${post}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n${smuggled}`],
    ["an unknown transfer coding", `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`],
    [
      "chunked behind a control character",
      `${post}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n${smuggled}`,
    ],
    ["a space before the colon", `${post}Content-Length : 2\r\n\r\n{}${smuggled}`],
    ["a chunk size that is none", `${post}Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n`],
    ["a chunk that is longer than its size", `${post}Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n`],
    ["a chunk size beyond 64 bits", `${post}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n`],
    ["a chunk size that ends in a bare LF", `${post}Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n`],
    ["bare line feeds", `GET /livez HTTP/1.1\nHost: localhost\n\n`],
    ["bare carriage returns", `GET /livez HTTP/1.1\rHost: localhost\r\r`],
    ["a folded line", `GET /livez HTTP/1.1\r\n${host}X: a\r\n b\r\n\r\n`],
    ["a line without a colon", `GET /livez HTTP/1.1\r\n${host}X\r\n\r\n`],
    ["an empty name", `GET /livez HTTP/1.1\r\n${host}: a\r\n\r\n`],
    ["a space in a name", `GET /livez HTTP/1.1\r\n${host}X Y: a\r\n\r\n`],
    ["a null byte in a name", `GET /livez HTTP/1.1\r\n${host}X\0: a\r\n\r\n`],
    ["a null byte in a value", `GET /livez HTTP/1.1\r\n${host}X: a\0b\r\n\r\n`],
    ["a control character in a value", `GET /livez HTTP/1.1\r\n${host}X: a\x01b\r\n\r\n`],
    ["a null byte in the target", `GET /\0 HTTP/1.1\r\n${host}\r\n`],
    ["a space in the target", `GET / a HTTP/1.1\r\n${host}\r\n`],
    ["no target", `GET HTTP/1.1\r\n${host}\r\n`],
    ["an unknown method", `BREW / HTTP/1.1\r\n${host}\r\n`],
    ["a method in lower case", `get / HTTP/1.1\r\n${host}\r\n`],
    ["HTTP/9.9", `GET / HTTP/9.9\r\n${host}\r\n`],
    ["HTTP/1.2", `GET / HTTP/1.2\r\n${host}\r\n`],
    ["SSH", "SSH-2.0-OpenSSH_10.0\r\n"],
    ["SMTP", "EHLO localhost\r\n"],
    ["a TLS ClientHello", clientHello],
    ["null bytes", Buffer.alloc(100)],
    ["the HTTP/2 preface with another middle", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"],
    ["the HTTP/2 preface with another version", "PRI * HTTP/3.0\r\n\r\nSM\r\n\r\n"],
    ["the HTTP/2 preface in lower case", "pri * http/2.0\r\n\r\nsm\r\n\r\n"],
  ])("%s", async (_, bytes) => {
    const { answers, end } = await sendRaw(service.port, [bytes], { answers: 0 });
    expect(answers).toHaveLength(1);
    expect(answers[0]).toMatchObject({
      status: 400,
      headers: {
        "content-type": "application/problem+json",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        connection: "close",
      },
    });
    const body = JSON.parse(answers[0]?.body ?? "") as { request_id: string };
    expect(body).toEqual(problem(service, "malformed_request", detail));
    expect(body.request_id).toBe(answers[0]?.headers["x-request-id"]);
    expect(end).toBe("ended");
    const logged = (): Record<string, unknown>[] =>
      service.logs().filter(({ request_id }) => request_id === body.request_id);
    await eventually(() => logged().length > 0);
    expect(logged()).toMatchObject([
      { status: 400, reason: "malformed_request", client_address: "127.0.0.1" },
    ]);
  });
});

test("an unreadable body is told to RPCs in their own protocol", async () => {
  const chunks = "Transfer-Encoding: chunked\r\n\r\nZZ\r\n";
  const line = `POST /countersign.v1.AuthService/Login HTTP/1.1\r\n${host}`;
  const connect = await sendRaw(service.port, [`${line}Content-Type: application/json\r\n${chunks}`]);
  expect(JSON.parse(connect.answers[0]?.body ?? "")).toMatchObject({ code: "invalid_argument" });
  const grpcWeb = await sendRaw(service.port, [`${line}Content-Type: application/grpc-web\r\n${chunks}`]);
  expect(grpcWeb.answers[0]).toMatchObject({ status: 200, body: expect.stringContaining("grpc-status: 3") });
});

test("a body behind a GET is skipped, and the next request read where it begins", async () => {
  const parts = [request("GET /livez", [], "GET /evil HTTP/1.1\r\n\r\n") + request("GET /nothing")];
  const { answers } = await sendRaw(service.port, parts, { answers: 2 });
  expect(answers.map(({ status }) => status)).toEqual([200, 404]);
});

test("chunked bodies are read, with extensions and trailers, which are ignored", async () => {
  const body = loginForm(service);
  const [first, second] = [body.slice(0, 10), body.slice(10)];
  const head = `POST /auth/login HTTP/1.1\r\n${host}Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const chunk = (text: string, extension = ""): string =>
    `${text.length.toString(16)}${extension}\r\n${text}\r\n`;
  const bytes = `${head}${chunk(first, ";a=b")}${chunk(second)}0\r\nX-Request-Id: trailer\r\nHost: other\r\n\r\n`;
  const { answers } = await sendRaw(service.port, [bytes]);
  expect(answers[0]?.status).toBe(200);
});
