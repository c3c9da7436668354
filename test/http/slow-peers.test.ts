import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { api } from "../_harness/api.ts";
import { eventually } from "../_harness/eventually.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { collect, request, sendRaw } from "../security/raw-http1.ts";
import {
  fields,
  frame,
  frameTypes,
  openRawHttp2,
  preface,
  requestFrame,
  settingsFrame,
} from "../security/raw-http2.ts";
import { grpcOutcome, http2Request, loginPath, withHttp2 } from "../security/rpc-calls.ts";
import { expectEventually, expectUnharmed, loginForm, problem } from "../security/unharmed.ts";

let service: TestService;
beforeAll(async () => {
  service = await startService({ env: { HEADER_TIMEOUT: "500ms", BODY_TIMEOUT: "500ms" } });
});
afterAll(async () => {
  await expectUnharmed(service);
  await service.stop();
});

const form = "Content-Type: application/x-www-form-urlencoded";
const head = `POST /auth/login HTTP/1.1\r\nHost: localhost\r\n${form}\r\n`;
const headerDetail = "The request did not arrive in time.";
const bodyDetail = "The body did not arrive in time.";

function loginRequest(): string {
  return request("POST /auth/login", [form], loginForm(service));
}

describe("a slow header", () => {
  test("is answered with 408 after HEADER_TIMEOUT, however steadily it drips", async () => {
    const drops = "GET /livez HTTP/1.1\r\nHost: localhost\r\n".split("");
    const { answers, end, tookMs } = await sendRaw(service.port, drops, { pauseMs: 50, answers: 0 });
    expect(answers[0]).toMatchObject({ status: 408, headers: { connection: "close" } });
    expect(JSON.parse(answers[0]?.body ?? "")).toEqual(problem(service, "request_timeout", headerDetail));
    expect(end).not.toBe("open");
    expect(tookMs).toBeLessThan(2_500);
  });

  test.each([
    ["nothing", []],
    ["half of the HTTP/2 preface", [preface.subarray(0, 12)]],
    ["the preface alone", [preface]],
    ["the preface and settings", [preface, settingsFrame([])]],
    [
      "a HEADERS frame that never ends",
      [preface, settingsFrame([]), frame(frameTypes.headers, 0, 1, Buffer.from([0x82]))],
    ],
  ])("a connection that sends %s is closed", async (_, parts) => {
    const { answers, end, tookMs } = await sendRaw(service.port, parts, { answers: 0 });
    expect(answers).toEqual([]);
    expect(end).not.toBe("open");
    expect(tookMs).toBeLessThan(2_500);
  });
});

describe("a slow body", () => {
  test("is answered with 408 after BODY_TIMEOUT, and the connection closed", async () => {
    const parts = [`${head}Content-Length: 100\r\n\r\n`, "username=admin"];
    const { answers, end, tookMs } = await sendRaw(service.port, parts, { answers: 0 });
    expect(answers[0]).toMatchObject({ status: 408, headers: { connection: "close" } });
    expect(JSON.parse(answers[0]?.body ?? "")).toEqual(problem(service, "request_timeout", bodyDetail));
    expect(end).toBe("ended");
    expect(tookMs).toBeLessThan(2_500);
  });

  test("that drips is no better", async () => {
    const parts = [
      `${head}Transfer-Encoding: chunked\r\n\r\n`,
      ...Array.from({ length: 30 }, () => "1\r\na\r\n"),
    ];
    const { answers } = await sendRaw(service.port, parts, { pauseMs: 50, answers: 0 });
    expect(answers[0]?.status).toBe(408);
  });

  test("over HTTP/2 and gRPC", async () => {
    await withHttp2(service.url, async (session) => {
      const rest = { ":method": "POST", ":path": "/auth/login", "content-type": "application/json" };
      const grpc = {
        ":method": "POST",
        ":path": loginPath,
        "content-type": "application/grpc",
        te: "trailers",
      };
      const [first, second] = await Promise.all([
        http2Request(session, rest, "open", Buffer.from("{")),
        http2Request(session, grpc, "open", Buffer.from([0, 0])),
      ]);
      expect(JSON.parse(first.body.toString())).toEqual(problem(service, "request_timeout", bodyDetail));
      expect(grpcOutcome(second)).toMatchObject({
        httpStatus: 200,
        code: "DeadlineExceeded",
        reason: "request_timeout",
      });
      expect((await http2Request(session, { ":path": "/livez" })).headers[":status"]).toBe(200);
    });
  });

  test("over Connect", async () => {
    const text = `POST ${loginPath} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`;
    const { answers } = await sendRaw(service.port, [text]);
    // Connect's status of deadline_exceeded.
    expect(answers[0]?.status).toBe(504);
    expect(JSON.parse(answers[0]?.body ?? "")).toMatchObject({ code: "deadline_exceeded" });
  });
});

describe("a peer that does not read", () => {
  test("over HTTP/2 has its streams cancelled", async () => {
    const connection = await openRawHttp2(service.port, [[4, 0]]);
    for (let stream = 1; stream < 41; stream += 2) {
      connection.send(requestFrame(stream, fields("GET", "/livez")));
    }
    const reset = await connection.frame(({ type }) => type === frameTypes.rstStream);
    expect(reset?.payload.readUInt32BE(0)).toBe(8);
    connection.close();
  });
});

describe("the first bytes", () => {
  test.each([
    ["a byte at a time", 1],
    ["in two parts", 13],
    ["with a third of a frame behind", 27],
  ])("HTTP/2 is known when its preface comes %s", async (_, size) => {
    const connection = await openRawHttp2(service.port, null);
    const bytes = Buffer.concat([preface, settingsFrame([]), requestFrame(1, fields("GET", "/livez"))]);
    for (let at = 0; at < bytes.byteLength; at += size) {
      connection.send(bytes.subarray(at, at + size));
      // sleep: the peer is slow.
      await delay(2);
    }
    const data = await connection.frame(({ type }) => type === frameTypes.data);
    expect(data?.payload.toString()).toBe("ok\n");
    connection.close();
  });

  test("HTTP/1.1 is known when it comes a byte at a time, from a method that begins like the preface too", async () => {
    const get = await sendRaw(service.port, request("GET /livez").split(""), { pauseMs: 1 });
    expect(get.answers[0]?.status).toBe(200);
    const propfind = await sendRaw(service.port, ["P", "R", "OPFIND / HTTP/1.1\r\nHost: a\r\n\r\n"], {
      pauseMs: 20,
    });
    expect(propfind.answers[0]?.status).toBe(405);
  });
});

describe("a connection that its peer ends", () => {
  test("right after a request that needs no waiting, still gets the answer", async () => {
    const { answers } = await sendRaw(service.port, [request("GET /livez")], { fin: true });
    expect(answers[0]?.status).toBe(200);
  });

  test("in the middle of a header is answered with 400 and closed", async () => {
    const { answers, end } = await sendRaw(service.port, ["GET /livez HTTP/1.1\r\nHost"], {
      fin: true,
      answers: 0,
    });
    expect(answers[0]?.status).toBe(400);
    expect(end).toBe("ended");
  });

  test.each([
    ["ends", (socket: Socket) => void socket.end()],
    ["resets", (socket: Socket) => void socket.resetAndDestroy()],
  ])("and that it %s in the middle of a body, is logged as cancelled and no error", async (_, leave) => {
    const before = cancelled();
    const socket = connect(service.port, "127.0.0.1").on("error", () => undefined);
    await once(socket, "connect");
    socket.write(`${head}Content-Length: 100\r\n\r\nusername=a`);
    // sleep: the half of a request is read.
    await delay(50);
    leave(socket);
    await expectEventually(() => cancelled() === before + 1);
    socket.destroy();
  });

  test("over HTTP/2 in the middle of a body, is logged as cancelled and no error", async () => {
    const before = cancelled();
    const connection = await openRawHttp2(service.port);
    const list = [...fields("POST", "/auth/login"), ["content-type", "application/json"] as const];
    connection.send(requestFrame(1, list, false), requestFrame(3, list, false));
    connection.send(frame(frameTypes.ping, 0, 0, Buffer.alloc(8)));
    await connection.frame(({ type }) => type === frameTypes.ping);
    connection.send(frame(frameTypes.rstStream, 0, 1, Buffer.from([0, 0, 0, 8])));
    await expectEventually(() => cancelled() === before + 1);
    connection.close();
    await expectEventually(() => cancelled() === before + 2);
  });

  function cancelled(): number {
    return service
      .logs()
      .filter(({ status, reason, level }) => status === 499 && reason === "cancelled" && level === "info")
      .length;
  }
});

describe("HTTP/1.1 connections", () => {
  test("serve one request after the other", async () => {
    const socket = connect(service.port, "127.0.0.1");
    const outcome = collect(socket, 5_000, 3);
    for (let round = 0; round < 3; round++) {
      socket.write(loginRequest());
      // sleep: the peer pauses between two requests.
      await delay(100);
    }
    expect((await outcome).answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  test("answer pipelined requests in their order, and what cannot be read behind them last", async () => {
    const parts = [loginRequest() + request("GET /livez") + request("GET /nothing") + "junk\r\n\r\n"];
    const { answers, end } = await sendRaw(service.port, parts, { answers: 0 });
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 404, 400]);
    expect(end).toBe("ended");
  });

  test("200 idle ones, and 100 idle HTTP/2 ones, keep nobody from signing in", async () => {
    const sockets = Array.from({ length: 300 }, (_, index) => {
      const socket = connect(service.port, "127.0.0.1").on("error", () => undefined);
      if (index >= 200) socket.write(Buffer.concat([preface, settingsFrame([])]));
      return socket;
    });
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    expect((await api(service).rest.login(service.admin)).status).toBe(200);
    // All that sent no request are gone after HEADER_TIMEOUT.
    for (const socket of sockets) socket.resume();
    await expectEventually(() => sockets.every(({ closed }) => closed));
  });

  test("an upgrade to h2c is not taken, and the request answered", async () => {
    const lines = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"];
    const { answers } = await sendRaw(service.port, [request("GET /livez", lines)]);
    expect(answers[0]?.status).toBe(200);
  });
});

// The last one: it fills the log.
test("a peer that does not read its answers over HTTP/1.1 is cut off", async () => {
  const socket = connect(service.port, "127.0.0.1").on("error", () => undefined);
  await once(socket, "connect");
  const before = service.output().length;
  const requests = 20_000;
  // More answers than all buffers between us hold.
  socket.write(request("GET /.well-known/jwks.json").repeat(requests));
  socket.pause();
  await eventually(() => service.output().slice(before).includes('"status":499'), 20_000, 250);
  let bytes = 0;
  socket.on("data", (chunk) => (bytes += chunk.byteLength)).resume();
  await new Promise((resolve) => socket.once("close", resolve));
  expect(bytes).toBeLessThan(requests * 400);
}, 40_000);
