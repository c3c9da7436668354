import { once } from "node:events";
import { constants } from "node:http2";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "@jest/globals";
import { eventually } from "../_harness/eventually.ts";
import { readMetric } from "../_harness/metrics.ts";
import { type ServiceOptions, startService, type TestService } from "../_harness/service.ts";
import { startAttack } from "./attacks/run-attack.ts";
import { collect, request, sendRaw } from "./raw-http1.ts";
import {
  fields,
  type Frame,
  frame,
  frameTypes,
  openRawHttp2,
  preface,
  type RawHttp2,
  requestFrame,
  settingsFrame,
} from "./raw-http2.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(options: ServiceOptions = {}): Promise<TestService> {
  const service = await startService(options);
  cleanups.push(() => service.stop());
  return service;
}

/** A connection from an address of the loopback network. */
async function open({ port }: TestService, address: string): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", localAddress: address });
  cleanups.push(() => socket.destroy());
  socket.on("error", () => undefined);
  const [opened, closed] = [once(socket, "connect"), once(socket, "close")];
  await Promise.race([opened.catch(() => undefined), closed.catch(() => undefined)]);
  return socket;
}

/** Whether a connection is still answered on. */
async function isServed(socket: Socket): Promise<boolean> {
  if (socket.destroyed) return false;
  socket.write(request("GET /livez"));
  const answered = Promise.withResolvers<boolean>();
  socket.once("data", () => answered.resolve(true)).once("close", () => answered.resolve(false));
  return answered.promise;
}

async function openMany(service: TestService, address: string, count: number): Promise<Socket[]> {
  return Promise.all(Array.from({ length: count }, () => open(service, address)));
}

async function servedOf(sockets: readonly Socket[]): Promise<number> {
  const served = await Promise.all(sockets.map(isServed));
  return served.filter(Boolean).length;
}

async function openHttp2(service: TestService): Promise<RawHttp2> {
  const connection = await openRawHttp2(service.port);
  cleanups.push(() => connection.close());
  return connection;
}

const held = (service: TestService, kind: string): Promise<number> =>
  readMetric(service, `countersign_peer_held{kind="${kind}"}`);
const refused = (service: TestService, kind: string, bound: string): Promise<number> =>
  readMetric(service, `countersign_peer_refused_total{kind="${kind}",bound="${bound}"}`);

const grpc = (path: string): [string, string][] => [
  ...fields("POST", path),
  ["content-type", "application/grpc"],
  ["te", "trailers"],
];
const watch = (id: number): Buffer =>
  Buffer.concat([
    requestFrame(id, grpc("/grpc.health.v1.Health/Watch"), false),
    frame(frameTypes.data, 1, id, Buffer.alloc(5)),
  ]);
const reflect = (id: number): Buffer =>
  requestFrame(id, grpc("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"), false);
const ids = (count: number): number[] => Array.from({ length: count }, (_, index) => 2 * index + 1);

/** Looks for a while. */
async function expectSettled(look: () => Promise<void>): Promise<void> {
  for (let times = 0; times < 20; times += 1) await look();
}

/** The frames of a stream that say that it is over, and how: its trailers (a second HEADERS, or one that ends it). */
const ends = (connection: RawHttp2): readonly Frame[] =>
  connection.frames.filter(
    ({ type, flags, stream }) => type === frameTypes.headers && stream > 0 && (flags & 1) === 1,
  );

describe("requests without an answer", () => {
  test("of one connection: sixteen at most are begun, the rest stays unread, and all are answered in their order", async () => {
    const service = await start({ env: { BODY_TIMEOUT: "60s" } });
    const socket = await open(service, "127.0.0.1");
    socket.pause();
    // Answers that the buffers of both ends cannot hold, and the rest behind them.
    const requests = [
      ...Array.from({ length: 12 }, () => request("GET /site/swagger-ui-bundle.js")),
      ...Array.from({ length: 500 }, (_, index) => request("GET /auth/me", [`X-Request-Id: no-${index}`])),
    ];
    requests.push(request("GET /livez", ["Connection: close"]));
    socket.write(requests.join(""));
    await eventually(async () => (await held(service, "request")) > 0);
    await expectSettled(async () => {
      expect(await held(service, "request")).toBeLessThanOrEqual(16);
    });
    const collected = collect(socket, 60_000, 0);
    socket.resume();
    const { answers } = await collected;
    expect(answers).toHaveLength(513);
    expect(answers.slice(12, -1).map(({ headers }) => headers["x-request-id"])).toEqual(
      Array.from({ length: 500 }, (_, index) => `no-${index}`),
    );
    await eventually(async () => (await held(service, "request")) === 0);
  });

  test("bodies between them stay with their requests, wherever a packet ends", async () => {
    const service = await start();
    const body = JSON.stringify({ username: "nobody", password: "a\r\n\r\nGET / HTTP/1.1\r\n\r\n" });
    const one = request("POST /auth/login", ["Content-Type: application/json"], body);
    const all = one.repeat(40);
    const parts = Array.from({ length: Math.ceil(all.length / 37) }, (_, index) =>
      all.slice(index * 37, index * 37 + 37),
    );
    const { answers } = await sendRaw(service.port, parts, { answers: 40, waitMs: 20_000 });
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 40 }, () => 401));
  });

  test("of one address: a quarter; the next is told to wait over HTTP/1.1, and refused over HTTP/2; probes are let in", async () => {
    const service = await start({ env: { REQUESTS_MAX: "16", BODY_TIMEOUT: "20s" } });
    const post =
      "POST /auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n";
    for (const socket of await openMany(service, "127.0.0.1", 4)) socket.write(post);
    await eventually(async () => (await held(service, "request")) === 4);
    const { answers, end } = await sendRaw(service.port, [request("GET /auth/me")], { answers: 0 });
    expect(answers).toMatchObject([{ status: 429, headers: { connection: "close", "retry-after": "1" } }]);
    expect(JSON.parse(answers[0]?.body ?? "")).toMatchObject({ reason: "rate_limited" });
    expect(end).toBe("ended");
    const connection = await openHttp2(service);
    connection.send(requestFrame(1, fields("GET", "/auth/me")), requestFrame(3, fields("GET", "/livez")));
    const reset = await connection.frame(({ type, stream }) => type === frameTypes.rstStream && stream === 1);
    expect(reset?.payload.readUInt32BE(0)).toBe(constants.NGHTTP2_REFUSED_STREAM);
    await connection.frame(({ type, stream }) => type === frameTypes.data && stream === 3);
    const probed = await sendRaw(service.port, [request("GET /livez")]);
    expect(probed.answers[0]?.status).toBe(200);
    expect(await refused(service, "request", "address")).toBe(2);
    // Another address has its own quarter.
    const other = await open(service, "127.0.0.2");
    other.write(request("GET /auth/me"));
    expect((await collect(other, 5_000, 1)).answers[0]?.status).toBe(401);
    const lines = service.logs().filter(({ msg }) => String(msg).startsWith("callers hold too much"));
    expect(lines).toMatchObject([
      { level: "warn", kind: "request", bound: "address", client_address: "127.0.0.1" },
    ]);
  });

  test("of all together: the next is told that the service is overloaded", async () => {
    const service = await start({ env: { REQUESTS_MAX: "16", BODY_TIMEOUT: "20s" } });
    const post =
      "POST /auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n";
    for (const host of [2, 3, 4, 5]) {
      for (const socket of await openMany(service, `127.0.0.${host}`, 4)) socket.write(post);
    }
    await eventually(async () => (await held(service, "request")) === 16);
    const { answers } = await sendRaw(service.port, [request("GET /auth/me")]);
    expect(answers).toMatchObject([{ status: 503, headers: { "retry-after": "1" } }]);
    expect(JSON.parse(answers[0]?.body ?? "")).toMatchObject({ reason: "overloaded" });
    expect(await refused(service, "request", "process")).toBe(1);
  });
});

describe("connections", () => {
  test("of one address: a quarter; of a trusted proxy: all", async () => {
    const service = await start({ env: { CONNECTIONS_MAX: "64", TRUSTED_PROXIES: "127.0.0.8" } });
    expect(await servedOf(await openMany(service, "127.0.0.9", 40))).toBe(16);
    expect(await servedOf(await openMany(service, "127.0.0.8", 40))).toBe(40);
    expect(await refused(service, "connection", "address")).toBe(24);
  });

  test("when all are taken, who has fewest gets the place of who has most", async () => {
    const service = await start({ env: { CONNECTIONS_MAX: "32" } });
    for (const host of [2, 3, 4, 5]) {
      expect(await servedOf(await openMany(service, `127.0.0.${host}`, 8))).toBe(8);
    }
    const newcomer = await open(service, "127.0.0.6");
    expect(await isServed(newcomer)).toBe(true);
    expect(await held(service, "connection")).toBe(32);
    expect(
      await readMetric(service, `countersign_peer_evicted_total{kind="connection",bound="process"}`),
    ).toBe(1);
  });
});

describe("connections of a trusted proxy", () => {
  test("when many addresses with few each have taken all, it gets the place of who has most, though it has more", async () => {
    const service = await start({ env: { CONNECTIONS_MAX: "32", TRUSTED_PROXIES: "127.0.0.8" } });
    const kept = await openMany(service, "127.0.0.8", 4);
    for (let host = 20; host < 34; host += 1) await openMany(service, `127.0.0.${host}`, 2);
    await eventually(async () => (await held(service, "connection")) === 32);
    expect(await servedOf(await openMany(service, "127.0.0.8", 6))).toBe(6);
    expect(await servedOf(kept)).toBe(4);
    // Nobody else with as few gets in for it.
    expect(await servedOf(await openMany(service, "127.0.0.20", 1))).toBe(0);
  });

  test("when it has taken all itself, its next one is refused, and none of its own is closed", async () => {
    const service = await start({ env: { CONNECTIONS_MAX: "32", TRUSTED_PROXIES: "127.0.0.8" } });
    const kept = await openMany(service, "127.0.0.8", 32);
    expect(await servedOf(await openMany(service, "127.0.0.8", 1))).toBe(0);
    expect(await servedOf(kept)).toBe(32);
  });
});

describe("streams that the service sends on", () => {
  test.each([
    ["Watch", watch],
    ["reflection", reflect],
  ])("%s, of one connection: sixteen; the next is refused, and calls go on", async (_, bytes) => {
    const service = await start();
    const connection = await openHttp2(service);
    connection.send(...ids(20).map(bytes));
    await eventually(() => ends(connection).length === 4);
    expect(await held(service, "stream")).toBe(16);
    expect(await refused(service, "stream", "connection")).toBe(4);
    connection.send(requestFrame(101, fields("GET", "/livez")));
    await connection.frame(({ type, stream }) => type === frameTypes.data && stream === 101);
    connection.close();
    await eventually(async () => (await held(service, "stream")) === 0);
  });

  test("of one address: a quarter", async () => {
    const service = await start({ env: { STREAMS_MAX: "64" } });
    for (const count of [10, 10]) {
      const connection = await openHttp2(service);
      connection.send(...ids(count).map(watch));
      await connection.frame(({ type, stream }) => type === frameTypes.headers && stream === 2 * count - 1);
    }
    expect(await held(service, "stream")).toBe(16);
    expect(await refused(service, "stream", "address")).toBe(4);
  });

  test("end in order when they are old", async () => {
    const service = await start({ env: { STREAM_AGE_MAX: "1s" } });
    const connection = await openHttp2(service);
    connection.send(watch(1), reflect(3));
    const lines = () => service.logs().filter(({ rpc }) => String(rpc).startsWith("grpc."));
    await eventually(() => ends(connection).length === 2 && lines().length === 2);
    expect(lines()).toMatchObject([
      { status: 200, reason: null },
      { status: 200, reason: null },
    ]);
    connection.send(requestFrame(101, fields("GET", "/livez")));
    await connection.frame(({ type, stream }) => type === frameTypes.data && stream === 101);
  });

  test("of reflection end when nothing is asked", async () => {
    const service = await start({ env: { STREAM_IDLE_TIMEOUT: "300ms" } });
    const connection = await openHttp2(service);
    connection.send(reflect(1), watch(3));
    await eventually(() => ends(connection).length === 1);
    await eventually(async () => (await held(service, "stream")) === 1);
    expect(ends(connection).map(({ stream }) => stream)).toEqual([1]);
  });
});

test("who sends requests and leaves at once leaves nothing behind", async () => {
  const service = await start();
  const bytes = Buffer.concat([preface, settingsFrame([]), ...ids(16).map(watch)]);
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      const socket = await open(service, "127.0.0.9");
      socket.end(bytes);
    }),
  );
  await eventually(
    async () => (await readMetric(service, "countersign_tcp_connections_accepted_total")) === 50,
  );
  await eventually(async () => (await held(service, "connection")) === 0, 9_000);
  expect(await held(service, "stream")).toBe(0);
});

test("when memory comes to its end, the heaviest connections are closed and the process goes on", async () => {
  const off = {
    CONNECTIONS_MAX: "1000000",
    REQUESTS_MAX: "1000000",
    STREAMS_MAX: "1000000",
    BODY_TIMEOUT: "60s",
  };
  const service = await start({ env: off, memoryMib: 512 });
  const attack = await startAttack("bodies that do not end", service.port, "127.0.0.9");
  const evicted = `countersign_peer_evicted_total{kind="connection",bound="memory"}`;
  await eventually(async () => (await readMetric(service, evicted)) > 0, 60_000, 100);
  // Below 0.88 the attackers may keep what they hold.
  await eventually(
    async () => (await readMetric(service, "countersign_memory_used_ratio")) < 0.88,
    30_000,
    100,
  );
  await attack.end();
  await eventually(async () => (await readMetric(service, "countersign_memory_scarce")) === 0, 30_000, 100);
  const { answers } = await sendRaw(service.port, [request("GET /livez")], { waitMs: 30_000 });
  expect(answers[0]?.status).toBe(200);
  expect(await service.memoryKills()).toBe(0);
});

test("when descriptors are few, callers leave enough for the private port, and are told of in the log", async () => {
  const service = await start({ descriptors: 256 });
  const sockets = [
    ...(await openMany(service, "127.0.0.2", 100)),
    ...(await openMany(service, "127.0.0.3", 100)),
    ...(await openMany(service, "127.0.0.4", 100)),
    ...(await openMany(service, "127.0.0.5", 100)),
    ...(await openMany(service, "127.0.0.6", 100)),
  ];
  const cpuBefore = await readMetric(service, "process_cpu_seconds_total");
  expect(await servedOf(sockets)).toBeGreaterThan(16);
  const probes = await Promise.all(
    Array.from({ length: 10 }, () => fetch(`${service.opsUrl}/readyz`).then(({ status }) => status)),
  );
  expect(probes).toEqual(Array.from({ length: 10 }, () => 200));
  expect(await refused(service, "connection", "address")).toBeGreaterThan(0);
  expect(await readMetric(service, "process_open_fds")).toBeLessThan(256);
  expect((await readMetric(service, "process_cpu_seconds_total")) - cpuBefore).toBeLessThan(5);
  expect(service.logs()).toContainEqual(expect.objectContaining({ level: "warn", kind: "connection" }));
});
