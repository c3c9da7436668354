import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { credentials, loadPackageDefinition, type ServiceError, status as Status } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { api } from "../_harness/api.ts";
import { eventually } from "../_harness/eventually.ts";
import { readMetric } from "../_harness/metrics.ts";
import { holdTable } from "../_harness/rows/locks.ts";
import { root, type ServiceOptions, startService, type TestService } from "../_harness/service.ts";
import { collect, request } from "../security/raw-http1.ts";
import { openRawHttp2, frameTypes, requestFrame, fields } from "../security/raw-http2.ts";
import { callGrpc, envelope, http2Request, protobuf } from "../security/rpc-calls.ts";
import { loginForm } from "../security/unharmed.ts";

// Each test starts a service of its own, which takes long on a machine that is busy with more.
jest.setTimeout(120_000);

const running: TestService[] = [];
afterEach(async () => {
  for (const service of running.splice(0)) await service.stop();
});

async function start(env: ServiceOptions["env"] = {}): Promise<TestService> {
  const service = await startService({ env });
  running.push(service);
  await api(service).rest.login(service.admin);
  return service;
}

const form = "Content-Type: application/x-www-form-urlencoded";

/** Holds every login up until it is told to let go. */
const holdLogins = ({ databaseUrl }: TestService) => holdTable(databaseUrl, "users");

/** Waits until so many logins are under way. */
async function untilUnderWay(service: TestService, counts: Record<"rest" | "grpc", number>): Promise<void> {
  for (const [protocol, count] of Object.entries(counts)) {
    const series = `countersign_rpc_in_flight{rpc="countersign.v1.AuthService/Login",protocol="${protocol}"}`;
    await eventually(async () => (await readMetric(service, series)) === count);
  }
}

function isDraining(service: TestService): boolean {
  return service.output().includes("the service is draining");
}

async function isRefused(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const refused = await new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(false)).once("error", () => resolve(true));
  });
  socket.destroy();
  return refused;
}

describe("at SIGTERM", () => {
  test("requests under way are answered over every protocol, new connections are refused, and the process ends with 0", async () => {
    const service = await start();
    const message = protobuf([
      [2, service.admin.username],
      [3, service.admin.password],
    ]);
    const letGo = await holdLogins(service);
    const socket = connect(service.port, "127.0.0.1");
    const raw = collect(socket, 10_000, 0);
    socket.write(request("POST /auth/login", [form], loginForm(service)));
    const session = connectHttp2(service.url);
    const goaways: number[] = [];
    session.on("goaway", (code: number) => goaways.push(code)).on("error", () => undefined);
    const headers = {
      ":method": "POST",
      ":path": "/auth/login",
      "content-type": "application/x-www-form-urlencoded",
    };
    const http2 = http2Request(session, headers, Buffer.from(loginForm(service)));
    const grpc = callGrpc(service.url, { body: envelope(message) });
    await untilUnderWay(service, { rest: 2, grpc: 1 });
    const ended = service.end("SIGTERM");
    await eventually(() => isDraining(service));
    await eventually(() => isRefused(service.port));
    await eventually(() => goaways[0] === 0);
    await letGo();
    expect((await raw).answers).toMatchObject([{ status: 200, headers: { connection: "close" } }]);
    expect((await raw).end).toBe("ended");
    expect((await http2).headers[":status"]).toBe(200);
    expect(await grpc).toMatchObject({ code: "Ok" });
    expect(await ended).toBe(0);
    expect(service.logs().filter(({ level }) => level === "error")).toEqual([]);
  });

  test("a request that a proxy sends on an idle connection at that moment is answered, as the connection's last", async () => {
    const service = await start();
    const idle = connect(service.port, "127.0.0.1");
    const answers = collect(idle, 10_000, 0);
    idle.write(request("GET /livez"));
    await once(idle, "data");
    const ended = service.end("SIGTERM");
    await eventually(() => isRefused(service.port));
    idle.write(request("POST /auth/login", [form], loginForm(service)));
    expect((await answers).answers).toMatchObject([
      { status: 200 },
      { status: 200, headers: { connection: "close" } },
    ]);
    expect(await ended).toBe(0);
  });

  test("a stream that an HTTP/2 peer opens before it can have learned of the end is served", async () => {
    const service = await start();
    const peer = await openRawHttp2(service.port);
    peer.send(requestFrame(1, fields("GET", "/livez")));
    await peer.frame(({ type, stream }) => type === frameTypes.data && stream === 1);
    const ended = service.end("SIGTERM");
    await peer.frame(({ type }) => type === frameTypes.goaway);
    peer.send(requestFrame(3, fields("GET", "/livez")));
    expect(await peer.frame(({ type, stream }) => type === frameTypes.data && stream === 3)).not.toBeNull();
    expect(await ended).toBe(0);
    const goaways = peer.frames.filter(({ type }) => type === frameTypes.goaway);
    expect(goaways.slice(0, 2).map(({ payload }) => payload.readUInt32BE(0))).toEqual([2 ** 31 - 1, 3]);
    peer.close();
  });

  test("idle connections of every kind hold nothing up, and are told", async () => {
    const service = await start();
    const silent = connect(service.port, "127.0.0.1");
    const idle = connect(service.port, "127.0.0.1");
    idle.write(request("GET /livez"));
    await once(idle, "data");
    const session = connectHttp2(service.url);
    await http2Request(session, { ":path": "/livez" });
    // It acknowledges nothing, and answers no ping.
    const deaf = await openRawHttp2(service.port);
    deaf.send(requestFrame(1, fields("GET", "/livez")));
    await deaf.frame(({ type }) => type === frameTypes.data);
    const { watch, statuses } = watchHealth(service);
    await eventually(() => statuses.length === 1);
    const startedAt = performance.now();
    expect(await service.end("SIGTERM")).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    // Health.Watch tells it first.
    expect(await watch).toBe(Status.OK);
    expect(statuses).toEqual(["SERVING", "NOT_SERVING"]);
    // RFC 9113 section 6.8: a notice, then the last stream that was served.
    const goaways = deaf.frames.filter(({ type }) => type === frameTypes.goaway);
    expect(goaways.slice(0, 2).map(({ payload }) => payload.readUInt32BE(0))).toEqual([2 ** 31 - 1, 1]);
    for (const socket of [silent, idle]) socket.destroy();
    session.destroy();
    deaf.close();
  });
});

test("a load that heeds /readyz loses no login, with a DRAIN_DELAY", async () => {
  const service = await start({ DRAIN_DELAY: "1s" });
  const ends: string[] = [];
  const isReady = async (): Promise<boolean> =>
    (await fetch(`${service.opsUrl}/readyz`).catch(() => null))?.status === 200;
  const worker = async (): Promise<void> => {
    while (await isReady()) {
      await api(service)
        .rest.login(service.admin)
        .then(
          ({ status, json }) => ends.push(String(status), typeof json),
          (error: unknown) => ends.push(String(error)),
        );
    }
  };
  const load = Promise.all(Array.from({ length: 4 }, worker));
  // sleep: the load runs for a while.
  await delay(500);
  expect(await service.end("SIGTERM")).toBe(0);
  await load;
  expect(new Set(ends)).toEqual(new Set(["200", "object"]));
});

test("DRAIN_DELAY keeps serving while /readyz says 503", async () => {
  const service = await start({ DRAIN_DELAY: "1s" });
  const ended = service.end("SIGTERM");
  await eventually(() => isDraining(service));
  expect((await fetch(`${service.url}/readyz`)).status).toBe(503);
  expect((await fetch(`${service.opsUrl}/readyz`)).status).toBe(503);
  expect((await api(service).rest.login(service.admin)).status).toBe(200);
  expect(await ended).toBe(0);
});

test("a request that takes longer than DRAIN_TIMEOUT is cut off, and the process ends", async () => {
  const service = await start({ DRAIN_TIMEOUT: "500ms", REQUEST_TIMEOUT: "20s", DATABASE_TIMEOUT: "3s" });
  const letGo = await holdLogins(service);
  const cut = [
    api(service).rest.login(service.admin),
    callGrpc(service.url, {
      body: envelope(
        protobuf([
          [2, "a"],
          [3, "b"],
        ]),
      ),
    }),
  ];
  const outcomes = Promise.allSettled(cut);
  await untilUnderWay(service, { rest: 1, grpc: 1 });
  const startedAt = performance.now();
  const code = await service.end("SIGTERM");
  expect(performance.now() - startedAt).toBeLessThan(6_000);
  expect(code).toBe(0);
  const [rest, grpc] = await outcomes;
  expect(rest?.status).toBe("rejected");
  expect(grpc).not.toMatchObject({ value: { code: "Ok" } });
  await letGo();
});

test("a second signal ends the process at once", async () => {
  const service = await start({ DRAIN_DELAY: "1m" });
  const ended = service.end("SIGTERM");
  await eventually(() => isDraining(service));
  process.kill(service.pid, "SIGTERM");
  expect(await ended).toBe(143);
});

function watchHealth(service: TestService): { watch: Promise<number>; statuses: string[] } {
  const definition = loadSync("grpc/health/v1/health.proto", {
    includeDirs: [join(root, "third_party")],
    enums: String,
  });
  const { grpc } = loadPackageDefinition(definition) as unknown as HealthPackage;
  const client = new grpc.health.v1.Health(`127.0.0.1:${service.port}`, credentials.createInsecure());
  const statuses: string[] = [];
  const call = client.watch({ service: "" });
  const watch = new Promise<number>((resolve) => {
    call.on("data", ({ status }) => statuses.push(status));
    call.on("error", (error) => resolve(error.code));
    call.on("status", ({ code }) => resolve(code));
  });
  return { watch: watch.finally(() => client.close()), statuses };
}

interface HealthPackage {
  readonly grpc: {
    readonly health: {
      readonly v1: {
        readonly Health: new (
          address: string,
          credentials: unknown,
        ) => {
          watch(request: { service: string }): WatchCall;
          close(): void;
        };
      };
    };
  };
}

interface WatchCall {
  on(event: "data", listener: (message: { status: string }) => void): this;
  on(event: "error", listener: (error: ServiceError) => void): this;
  on(event: "status", listener: (status: { code: number }) => void): this;
}
