import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { startService, type TestService } from "../_harness/service.ts";
import { request, sendRaw } from "../security/raw-http1.ts";
import { fields, type Frame, frameTypes, openRawHttp2, requestFrame } from "../security/raw-http2.ts";
import { expectUnharmed, problem } from "../security/unharmed.ts";

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(async () => {
  await expectUnharmed(service);
  await service.stop();
});

const hostDetail = "The Host header is missing or malformed.";

describe("over HTTP/1.1", () => {
  test.each([
    ["none", []],
    ["an empty one", ["Host: "]],
    ["two", ["Host: a", "Host: b"]],
    ["the same one twice", ["Host: a", "Host: a"]],
    ["half of a bracket", ["Host: ["]],
    ["brackets around a name", ["Host: [localhost]"]],
    ["a space inside", ["Host: a b"]],
    ["user information", ["Host: user:pass@localhost"]],
    ["a port out of range", ["Host: localhost:65536"]],
    ["a port of many digits", ["Host: localhost:99999999999"]],
    ["a negative port", ["Host: localhost:-1"]],
    ["two ports", ["Host: localhost:80:80"]],
    ["a path", ["Host: localhost/"]],
    ["bytes beyond ASCII", ["Host: \xe9.example"]],
  ])("a request with %s as its Host is refused", async (_, host) => {
    const { answers } = await sendRaw(service.port, [request("GET /livez", [], "", host)]);
    expect(answers).toHaveLength(1);
    expect(answers[0]).toMatchObject({
      status: 400,
      headers: { "content-type": "application/problem+json" },
    });
    expect(JSON.parse(answers[0]?.body ?? "")).toEqual(problem(service, "malformed_request", hostDetail));
  });

  test.each([
    "localhost",
    "LOCALHOST:8080",
    "127.0.0.1:1",
    "[::1]:443",
    "example.com.",
    "localhost:",
    "xn--bcher-kva.example",
  ])("the Host %s is taken", async (host) => {
    const { answers } = await sendRaw(service.port, [request("GET /livez", [], "", [`Host: ${host}`])]);
    expect(answers[0]?.status).toBe(200);
  });

  test("HTTP/1.0 needs no Host, and its connection is closed after the answer", async () => {
    const { answers, end } = await sendRaw(service.port, ["GET /livez HTTP/1.0\r\n\r\n"], { answers: 0 });
    expect(answers[0]).toMatchObject({ status: 200, body: "ok\n" });
    expect(end).toBe("ended");
  });

  test("a target in absolute form names the same resource, whatever authority it claims", async () => {
    for (const target of ["http://localhost/livez", "http://other.example:1/livez", "HTTP://[/livez"]) {
      const { answers } = await sendRaw(service.port, [request(`GET ${target}`)]);
      expect(answers[0]?.status).toBe(200);
    }
  });

  test.each([
    ["OPTIONS *", 404],
    ["GET *", 404],
    ["GET ?a", 404],
    ["GET //livez", 404],
    ["GET /livez%00", 404],
    ["GET /%", 400],
  ])("%s is answered with a 4xx", async (line) => {
    const { answers } = await sendRaw(service.port, [request(line)]);
    expect([400, 404]).toContain(answers[0]?.status);
    expect(answers[0]?.headers["content-type"]).toBe("application/problem+json");
  });

  test("an absolute form without a path names the root, which leads to the reference page", async () => {
    for (const target of ["http://localhost", "http://?a"]) {
      const { answers } = await sendRaw(service.port, [request(`GET ${target}`)]);
      expect(answers[0]?.status).toBe(302);
    }
  });

  test("CONNECT gets no tunnel: the connection is closed", async () => {
    const { answers, end } = await sendRaw(service.port, [request("CONNECT localhost:22")]);
    expect(answers).toEqual([]);
    expect(end).not.toBe("open");
  });
});

describe("over HTTP/2", () => {
  const withoutAuthority = fields("GET", "/livez").filter(([name]) => name !== ":authority");
  const ends = ({ type, flags, stream }: Frame): boolean =>
    stream === 1 && (type === frameTypes.rstStream || (flags & 1) !== 0);

  async function answerTo(
    list: readonly (readonly [string, string])[],
  ): Promise<{ reset: boolean; body: string }> {
    const connection = await openRawHttp2(service.port);
    connection.send(requestFrame(1, list));
    const last = await connection.frame(ends);
    const data = connection.frames.filter(({ type }) => type === frameTypes.data);
    connection.close();
    return {
      reset: last?.type === frameTypes.rstStream,
      body: Buffer.concat(data.map(({ payload }) => payload)).toString(),
    };
  }

  test.each([
    ["half of a bracket", fields("GET", "/livez", "[")],
    ["a port out of range", fields("GET", "/livez", "localhost:65536")],
    ["another name than Host", [...fields("GET", "/livez"), ["host", "other.example"] as const]],
  ])("an :authority with %s is refused", async (_, list) => {
    const { body } = await answerTo(list);
    expect(JSON.parse(body)).toEqual(problem(service, "malformed_request", hostDetail));
  });

  test.each([
    ["an empty :authority", fields("GET", "/livez", "")],
    ["an :authority with a space", fields("GET", "/livez", "a b")],
    ["an :authority with user information", fields("GET", "/livez", "user@localhost")],
    ["an :authority beyond ASCII", fields("GET", "/livez", "\xe9")],
    ["neither :authority nor Host", withoutAuthority],
    ["two :authority", [...fields("GET", "/livez"), [":authority", "localhost"] as const]],
    ["no path", fields("GET", "")],
    ["a path without its slash", fields("GET", "livez")],
    ["a name in upper case", [...fields("GET", "/livez"), ["Accept", "a"] as const]],
    ["a Connection field", [...fields("GET", "/livez"), ["connection", "close"] as const]],
    ["a method with a space", fields("BREW COFFEE", "/livez")],
  ])("%s resets the stream, and not the connection", async (_, list) => {
    expect((await answerTo(list)).reset).toBe(true);
  });

  test("Host serves where :authority is missing", async () => {
    expect(await answerTo([...withoutAuthority, ["host", "localhost"]])).toEqual({
      reset: false,
      body: "ok\n",
    });
  });

  test("CONNECT gets no tunnel, only a problem", async () => {
    const connection = await openRawHttp2(service.port);
    connection.send(
      requestFrame(
        1,
        [
          [":method", "CONNECT"],
          [":authority", "localhost:22"],
        ],
        false,
      ),
    );
    const data = await connection.frame(({ type }) => type === frameTypes.data);
    connection.close();
    expect(JSON.parse(data?.payload.toString() ?? "")).toMatchObject({
      status: 405,
      reason: "method_not_allowed",
    });
  });
});
