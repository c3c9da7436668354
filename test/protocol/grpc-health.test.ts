import { setTimeout as delay } from "node:timers/promises";
import { Code, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { credentials, loadPackageDefinition, type ServiceError, status as Status } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Health } from "../../src/gen/grpc/health/v1/health_pb.ts";
import { createHealth } from "../../src/ops/health.ts";
import { createWatch } from "../../src/api/standard/grpc-health/watch.ts";
import { collect } from "../_harness/collect.ts";
import { eventually } from "../_harness/eventually.ts";
import { createTestDatabase, startTestCluster, type TestCluster } from "../_harness/postgres.ts";
import { buf, runClient } from "../_harness/run-client.ts";
import { root, startService, type TestService } from "../_harness/service.ts";

const AUTH = "countersign.v1.AuthService";
const names = [
  "",
  AUTH,
  "countersign.v1.TokenService",
  "countersign.v1.UserService",
  "countersign.v1.AuditService",
  "countersign.v1.ClientService",
  "countersign.v1.KeyService",
  "countersign.v1.RoleService",
];

let cluster: TestCluster;
let databaseUrl: string;
let service: TestService;
let foreign: ReturnType<typeof createForeignClient>;

beforeAll(async () => {
  cluster = await startTestCluster();
  databaseUrl = (await createTestDatabase(cluster)).url;
  service = await startService({ env: { DATABASE_URL: databaseUrl, DATABASE_TIMEOUT: "1s" } });
  foreign = createForeignClient(service.port);
}, 60_000);

afterAll(async () => {
  foreign.close();
  await service.stop();
  await cluster.stop();
});

test("Check, List and Watch tell of the server and of every service what readiness says", async () => {
  const watches = names.map((name) => foreign.watch(name));
  const stranger = foreign.watch("nobody.Service");
  await Promise.all([...watches, stranger].map((watch) => watch.told(1)));

  const expectAll = async (status: string): Promise<void> => {
    for (const name of names) expect(await foreign.check(name)).toEqual({ status });
    expect(await foreign.list()).toEqual({
      statuses: Object.fromEntries(names.map((name) => [name, { status }])),
    });
    const readyz = await fetch(`${service.url}/readyz`);
    expect(readyz.status).toBe(status === "SERVING" ? 200 : 503);
  };
  await expectAll("SERVING");
  await cluster.pause();
  await Promise.all(watches.map((watch) => watch.told(2)));
  await expectAll("NOT_SERVING");
  await cluster.start();
  await Promise.all(watches.map((watch) => watch.told(3)));
  await expectAll("SERVING");

  for (const watch of watches) expect(watch.statuses).toEqual(["SERVING", "NOT_SERVING", "SERVING"]);
  expect(stranger.statuses).toEqual(["SERVICE_UNKNOWN"]);
  for (const watch of [...watches, stranger]) {
    watch.cancel();
    expect(await watch.ended).toBe(Status.CANCELLED);
  }
}, 60_000);

describe("Check", () => {
  test.each(["nobody.Service", "toString", "__proto__", `.${AUTH}`])(
    "answers NOT_FOUND for the unknown service %s and does not echo it",
    async (name) => {
      const error = await foreign.check(name).catch((thrown: unknown) => thrown as ServiceError);
      expect(error).toMatchObject({ code: Status.NOT_FOUND, details: "No such service on this server." });
    },
  );

  test("is answered to a Connect GET, and to a client written in Go", async () => {
    const transport = createConnectTransport({ baseUrl: service.url, httpVersion: "2", useHttpGet: true });
    expect(await createClient(Health, transport).check({ service: AUTH })).toMatchObject({ status: 1 });
    const schema = ["--protocol", "grpc", "--schema", "third_party", "-d", "{}"];
    const url = `${service.url}/grpc.health.v1.Health/Check`;
    const { stdout } = await runClient(buf, ["curl", "--http2-prior-knowledge", ...schema, url], root);
    expect(JSON.parse(stdout)).toEqual({ status: "SERVING" });
  });
});

describe("Watch", () => {
  test.each([
    ["Connect", createConnectTransport],
    ["gRPC", createGrpcTransport],
  ] as const)(
    "that its deadline cuts off does not end as if it were done, over %s",
    async (name, createTransport) => {
      const transport = createTransport({ baseUrl: service.url, httpVersion: "2" });
      // The deadline is told to the server alone: the client has none of its own.
      const headers = name === "gRPC" ? { "grpc-timeout": "100m" } : { "connect-timeout-ms": "100" };
      const statuses: number[] = [];
      const drain = async () => {
        const stream = createClient(Health, transport).watch({}, { headers });
        for await (const { status } of stream) statuses.push(status);
      };
      await expect(drain()).rejects.toMatchObject({ code: Code.DeadlineExceeded });
      expect(statuses).toEqual([1]);
    },
  );

  test("goes on when its caller sends nothing for longer than any request may take", async () => {
    const patient = await startService({
      env: {
        DATABASE_URL: databaseUrl,
        REQUEST_TIMEOUT: "100ms",
        BODY_TIMEOUT: "100ms",
        HEADER_TIMEOUT: "100ms",
      },
    });
    const client = createForeignClient(patient.port);
    const watch = client.watch("");
    await watch.told(1);
    // sleep: the stream outlives the deadline of a call.
    await delay(1500);
    watch.cancel();
    expect(await watch.ended).toBe(Status.CANCELLED);
    client.close();
    await patient.stop();
  });

  test("tells NOT_SERVING when the service is asked to end, while requests are still taken, and then ends", async () => {
    const ending = await startService({ env: { DATABASE_URL: databaseUrl, DRAIN_DELAY: "500ms" } });
    const client = createForeignClient(ending.port);
    const watch = client.watch(AUTH);
    const stranger = client.watch("nobody.Service");
    await Promise.all([watch.told(1), stranger.told(1)]);
    const ended = ending.end("SIGTERM");
    expect(await watch.ended).toBe(Status.OK);
    expect(await stranger.ended).toBe(Status.OK);
    expect(watch.statuses).toEqual(["SERVING", "NOT_SERVING"]);
    expect(stranger.statuses).toEqual(["SERVICE_UNKNOWN"]);
    expect(await client.check("")).toEqual({ status: "NOT_SERVING" });
    expect(await ended).toBe(0);
    client.close();
    await ending.stop();
  });
});

describe("a Watch inside the service", () => {
  const health = createHealth({ checks: [], log: { info() {}, warn() {} } });
  let listeners = 0;
  const watched: Pick<typeof health, "readyz" | "onChange"> = {
    readyz: health.readyz,
    onChange(listener) {
      const unsubscribe = health.onChange(listener);
      listeners += 1;
      return () => {
        listeners -= 1;
        unsubscribe();
      };
    },
  };
  const watch = createWatch(watched, new Set([""]));
  test.each(["", "nobody.Service"])("of %j leaves no listener behind when its caller goes", async (name) => {
    const caller = new AbortController();
    const stream = watch({ service: name } as never, { signal: caller.signal } as never);
    const read = collect(stream);
    await eventually(() => listeners === 1);
    caller.abort();
    expect(await read).toHaveLength(1);
    expect(listeners).toBe(0);
  });

  test("is woken by a change that comes while its caller reads", async () => {
    const { signal } = new AbortController();
    const stream = watch({ service: "" } as never, { signal } as never)[Symbol.asyncIterator]();
    expect((await stream.next()).value).toEqual({ status: 2 });
    health.setPhase("serving");
    health.setPhase("draining");
    expect((await stream.next()).done).toBe(true);
    expect(listeners).toBe(0);
  });
});

/** A client that shares no code with the server: grpc-js, with the protocol's own definition. */
function createForeignClient(port: number) {
  const definition = loadSync("grpc/health/v1/health.proto", {
    includeDirs: ["third_party"],
    enums: String,
    defaults: true,
  });
  const descriptor = definition["grpc.health.v1.Health"] as never;
  const { Health: Client } = loadPackageDefinition({ Health: descriptor }) as unknown as {
    Health: ForeignHealth;
  };
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  return {
    check: (name: string) =>
      new Promise<unknown>((resolve, reject) => {
        client.check({ service: name }, (error, value) => (error === null ? resolve(value) : reject(error)));
      }),
    list: () =>
      new Promise<unknown>((resolve, reject) => {
        client.list({}, (error, value) => (error === null ? resolve(value) : reject(error)));
      }),
    watch(name: string) {
      const statuses: string[] = [];
      const call = client.watch({ service: name });
      const ended = new Promise<number>((resolve) => {
        call.on("status", ({ code }) => resolve(code));
        call.on("error", () => {});
      });
      call.on("data", ({ status }) => statuses.push(status));
      return {
        statuses,
        ended,
        cancel: () => call.cancel(),
        told: (n: number) => eventually(() => statuses.length === n),
      };
    },
    close: () => client.close(),
  };
}

interface ForeignHealth {
  new (
    address: string,
    credentials: unknown,
  ): {
    check(request: { service: string }, done: (error: ServiceError | null, value?: unknown) => void): void;
    list(request: object, done: (error: ServiceError | null, value?: unknown) => void): void;
    watch(request: { service: string }): {
      on(event: "data", listener: (message: { status: string }) => void): void;
      on(event: "status", listener: (status: { code: number }) => void): void;
      on(event: "error", listener: (error: ServiceError) => void): void;
      cancel(): void;
    };
    close(): void;
  };
}
