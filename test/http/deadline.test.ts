import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { api } from "../_harness/api.ts";
import { readMetric } from "../_harness/metrics.ts";
import { holdTable, untilWaiting } from "../_harness/rows/locks.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { eventually } from "../_harness/eventually.ts";
import { request } from "../security/raw-http1.ts";
import { fields, flags, frame, frameTypes, openRawHttp2, requestFrame } from "../security/raw-http2.ts";
import { callConnect, callGrpc, callGrpcWeb, envelope, protobuf } from "../security/rpc-calls.ts";
import { expectEventually, loginForm, problem } from "../security/unharmed.ts";

let service: TestService;
beforeAll(async () => {
  service = await startService({ env: { REQUEST_TIMEOUT: "1s", DATABASE_TIMEOUT: "5s" } });
  // Whatever is made at the first call is no part of a deadline.
  await api(service).rest.login(service.admin);
});
afterAll(() => service.stop());

/** Keeps every query of the users waiting while something runs. */
async function whileUsersAreLocked<T>(run: () => Promise<T>): Promise<T> {
  const release = await holdTable(service.databaseUrl, "users");
  try {
    return await run();
  } finally {
    await release();
  }
}

function cancelled(): number {
  return service.logs().filter(({ status, reason }) => status === 499 && reason === "cancelled").length;
}

function loginMessage(): Buffer {
  return protobuf([
    [2, service.admin.username],
    [3, service.admin.password],
  ]);
}

describe("a caller's deadline", () => {
  test.each(["1m", "1u", "1n", "30m"])(
    "grpc-timeout %s ends a call over gRPC and gRPC-Web",
    async (timeout) => {
      const sent = { headers: { "grpc-timeout": timeout }, body: envelope(loginMessage()) };
      const outcomes = await whileUsersAreLocked(() =>
        Promise.all([callGrpc(service.url, sent), callGrpcWeb(service.url, sent)]),
      );
      const expected = expect.objectContaining({
        httpStatus: 200,
        code: "DeadlineExceeded",
        reason: "deadline_exceeded",
      });
      expect(outcomes).toEqual([expected, expected]);
    },
  );

  test.each(["1", "30"])("connect-timeout-ms %s ends a call over Connect", async (timeout) => {
    const sent = {
      headers: { "connect-timeout-ms": timeout },
      body: Buffer.from(JSON.stringify(service.admin)),
    };
    const outcome = await whileUsersAreLocked(() => callConnect(service.url, sent));
    expect(outcome).toMatchObject({ httpStatus: 504, code: "DeadlineExceeded", reason: "deadline_exceeded" });
  });

  test("a long one is no longer than REQUEST_TIMEOUT", async () => {
    const startedAt = performance.now();
    const sent = { headers: { "grpc-timeout": "1H" }, body: envelope(loginMessage()) };
    const outcome = await whileUsersAreLocked(() => callGrpc(service.url, sent));
    expect(outcome).toMatchObject({ code: "DeadlineExceeded", reason: "deadline_exceeded" });
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });
});

test("REQUEST_TIMEOUT is the deadline of REST", async () => {
  const answer = await whileUsersAreLocked(() => api(service).rest.login(service.admin));
  expect(answer.status).toBe(504);
  expect(answer.json).toEqual(problem(service, "deadline_exceeded", "The deadline has passed."));
  expect((await api(service).rest.login(service.admin)).status).toBe(200);
});

describe("a request whose caller leaves while it waits is logged as cancelled, and as no error", () => {
  const form = ["Content-Type: application/x-www-form-urlencoded"];
  const onSocket = async (leave: (socket: Socket) => void): Promise<void> => {
    const socket = connect(service.port, "127.0.0.1").on("error", () => undefined);
    socket.write(request("POST /auth/login", form, loginForm(service)));
    await untilWaiting(service.databaseUrl);
    leave(socket);
  };

  test.each([
    ["ends the connection", () => onSocket((socket) => socket.end())],
    ["resets the connection", () => onSocket((socket) => socket.resetAndDestroy())],
    [
      "resets the HTTP/2 stream",
      async () => {
        const connection = await openRawHttp2(service.port);
        const list = [...fields("POST", "/auth/login"), ["content-type", "application/json"] as const];
        const body = Buffer.from(JSON.stringify(service.admin));
        connection.send(requestFrame(1, list, false), frame(frameTypes.data, flags.endStream, 1, body));
        await untilWaiting(service.databaseUrl);
        connection.send(frame(frameTypes.rstStream, 0, 1, Buffer.from([0, 0, 0, 8])));
        // sleep: the reset, and not the end of the connection, is what the service sees first.
        await delay(100);
        connection.close();
      },
    ],
  ])("when it %s", async (_, leave) => {
    const before = cancelled();
    await whileUsersAreLocked(async () => {
      await leave();
      await expectEventually(() => cancelled() === before + 1);
    });
    expect(service.logs().filter(({ level, reason }) => level === "error" || reason === "internal")).toEqual(
      [],
    );
  });
});

test("requests that are pipelined are cancelled together when their caller leaves", async () => {
  const before = cancelled();
  await whileUsersAreLocked(async () => {
    const socket = connect(service.port, "127.0.0.1");
    const form = ["Content-Type: application/x-www-form-urlencoded"];
    socket.write(request("POST /auth/login", form, loginForm(service)).repeat(3));
    // sleep: all three are read; only one may be seen to wait.
    await delay(200);
    socket.destroy();
    await expectEventually(() => cancelled() === before + 3);
  });
});

describe("a place in the queue of password hashes", () => {
  let slow: TestService;
  beforeAll(async () => {
    // One hash takes some seconds, one may wait, and a third is refused.
    const env = {
      ARGON2_MEMORY_KIB: "65536",
      ARGON2_ITERATIONS: "24",
      HASH_CONCURRENCY: "1",
      HASH_QUEUE_MAX: "1",
      HASH_WAIT_MAX: "60s",
      REQUEST_TIMEOUT: "60s",
    };
    slow = await startService({ env });
  });
  afterAll(() => slow.stop());

  test("is free again as soon as its caller leaves", async () => {
    const running = api(slow).rest.login(slow.admin);
    await untilMetric(slow, "countersign_hashes_running", 1);
    const leaving = new AbortController();
    const { signal } = leaving;
    const login = { method: "POST", body: new URLSearchParams(slow.admin), signal };
    const waiting = fetch(`${slow.url}/auth/login`, login).catch(() => null);
    await untilMetric(slow, 'countersign_hash_queue_waiting{lane="usual"}', 1);
    const refused = await api(slow).rest.login(slow.admin);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([
      503,
      expect.stringMatching(/^\d+$/),
    ]);
    leaving.abort();
    await waiting;
    await eventually(() => slow.logs().some(({ reason }) => reason === "cancelled"));
    const admitted = api(slow).rest.login(slow.admin);
    expect((await running).status).toBe(200);
    expect((await admitted).status).toBe(200);
  });
});

function untilMetric(service: TestService, series: string, value: number): Promise<void> {
  return eventually(async () => (await readMetric(service, series)) === value);
}
