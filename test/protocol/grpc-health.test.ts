import { execFile } from "node:child_process";
import { createServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { connectNodeAdapter, createConnectTransport } from "@connectrpc/connect-node";
import { credentials, loadPackageDefinition, type ServiceError, status as Status } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { AppError } from "../../src/domain/errors.ts";
import { Health } from "../../src/gen/grpc/health/v1/health_pb.ts";
import { createHealth } from "../../src/ops/health.ts";
import { createGrpcHealth } from "../../src/rpc/grpc-health/grpc-health.ts";
import { eventually } from "../_harness/eventually.ts";

const AUTH = "countersign.v1.AuthService";

let service: Awaited<ReturnType<typeof startService>>;

beforeEach(async () => {
  service = await startService();
});

afterEach(() => service.close());

describe("Check", () => {
  test.each(["", AUTH])("tells of %j what readiness says", async (name) => {
    expect(await service.foreign.check(name)).toEqual({ status: "SERVING" });
    service.fail(true);
    await service.readiness(false);
    expect(await service.foreign.check(name)).toEqual({ status: "NOT_SERVING" });
    service.fail(false);
    await service.readiness(true);
    expect(await service.foreign.check(name)).toEqual({ status: "SERVING" });
  });

  test.each(["nobody.Service", "toString", "__proto__", `.${AUTH}`])(
    "answers NOT_FOUND for the unknown service %s and does not echo it",
    async (name) => {
      const error = await service.foreign.check(name).catch((thrown: unknown) => thrown as ServiceError);
      expect(error).toMatchObject({ code: Status.NOT_FOUND, details: "No such service on this server." });
    },
  );

  test("is answered to a Connect GET, and to a client written in Go", async () => {
    const transport = createConnectTransport({ baseUrl: service.url, httpVersion: "2", useHttpGet: true });
    expect(await createClient(Health, transport).check({ service: AUTH })).toMatchObject({ status: 1 });
    const { stdout } = await promisify(execFile)("node_modules/.bin/buf", [
      "curl",
      "--http2-prior-knowledge",
      "--protocol=grpc",
      "--schema=third_party",
      "--data={}",
      `${service.url}/grpc.health.v1.Health/Check`,
    ]);
    expect(JSON.parse(stdout)).toEqual({ status: "SERVING" });
  });
});

test("List tells the state of the server and of each service", async () => {
  service.health.setPhase("draining");
  expect(await service.foreign.list()).toEqual({
    statuses: { "": { status: "NOT_SERVING" }, [AUTH]: { status: "NOT_SERVING" } },
  });
});

describe("Watch", () => {
  test("tells the state now and each change once, and ends after NOT_SERVING when draining begins", async () => {
    const watch = service.foreign.watch(AUTH);
    await watch.told(1);
    service.fail(true);
    await watch.told(2);
    await delay(80);
    service.fail(false);
    await watch.told(3);
    service.health.setPhase("draining");
    expect(await watch.ended).toBe(Status.OK);
    expect(watch.statuses).toEqual(["SERVING", "NOT_SERVING", "SERVING", "NOT_SERVING"]);
    await eventually(() => service.listeners() === 0);
  });

  test("ends without a second NOT_SERVING when draining begins while unready", async () => {
    service.fail(true);
    await service.readiness(false);
    const watch = service.foreign.watch("");
    await watch.told(1);
    service.health.setPhase("draining");
    expect(await watch.ended).toBe(Status.OK);
    expect(watch.statuses).toEqual(["NOT_SERVING"]);
  });

  test("tells SERVICE_UNKNOWN of an unknown service, stays open, and ends when draining begins", async () => {
    const watch = service.foreign.watch("nobody.Service");
    await watch.told(1);
    service.fail(true);
    await service.readiness(false);
    expect(service.listeners()).toBe(1);
    service.health.setPhase("draining");
    expect(await watch.ended).toBe(Status.OK);
    expect(watch.statuses).toEqual(["SERVICE_UNKNOWN"]);
  });

  test("leaves no listener behind when callers cancel, or their connection breaks", async () => {
    const watches = [AUTH, "", "nobody.Service"].map((name) => service.foreign.watch(name));
    await Promise.all(watches.map((watch) => watch.told(1)));
    expect(service.listeners()).toBe(3);
    watches[0]?.cancel();
    expect(await watches[0]?.ended).toBe(Status.CANCELLED);
    await eventually(() => service.listeners() === 2);
    service.cut();
    await eventually(() => service.listeners() === 0);
  });

  test("that its deadline cuts off does not end as if it were done", async () => {
    const transport = createConnectTransport({ baseUrl: service.url, httpVersion: "2" });
    // The deadline is told to the server alone: the client has none of its own.
    const stream = createClient(Health, transport).watch({}, { headers: { "Connect-Timeout-Ms": "100" } });
    const drain = async () => {
      for await (const _ of stream);
    };
    await expect(drain()).rejects.toMatchObject({ code: Code.DeadlineExceeded });
    await eventually(() => service.listeners() === 0);
  });
});

/** Serves gRPC health alone, from a real health with one check that tests can make fail. */
async function startService() {
  let failing = false;
  let listeners = 0;
  const check = { name: "postgres", gatesReadiness: true, periodMs: 20, timeoutMs: 5000 };
  const health = createHealth({
    checks: [{ ...check, run: () => (failing ? Promise.reject(new Error("down")) : Promise.resolve()) }],
    log: { info() {}, warn() {} },
  });
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
  const server = createServer(
    connectNodeAdapter({
      interceptors: [presentErrors],
      routes: (router) => router.service(Health, createGrpcHealth({ health: watched, serviceNames: [AUTH] })),
    }),
  );
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => sessions.add(session));
  const cut = () => sessions.forEach((session) => session.destroy());
  const port = await listen(server);
  health.start();
  health.setPhase("serving");
  await eventually(() => health.readyz().ready);
  const foreign = createForeignClient(port);
  return {
    url: `http://127.0.0.1:${port}`,
    health,
    foreign,
    cut,
    fail: (value: boolean) => void (failing = value),
    listeners: () => listeners,
    readiness: (ready: boolean) => eventually(() => health.readyz().ready === ready),
    async close() {
      foreign.close();
      health.stop();
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

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
    check: (service: string) =>
      new Promise<unknown>((resolve, reject) => {
        client.check({ service }, (error, value) => (error === null ? resolve(value) : reject(error)));
      }),
    list: () =>
      new Promise<unknown>((resolve, reject) => {
        client.list({}, (error, value) => (error === null ? resolve(value) : reject(error)));
      }),
    watch(service: string) {
      const statuses: string[] = [];
      const call = client.watch({ service });
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

/** Stands in for the service's own interceptor: an AppError is told by its code. */
const presentErrors: Interceptor = (next) => async (request) => {
  const present = (error: unknown) => {
    const codes: Record<string, Code> = {
      not_found: Code.NotFound,
      deadline_exceeded: Code.DeadlineExceeded,
    };
    const code = error instanceof AppError ? codes[error.reason] : undefined;
    return code === undefined ? error : new ConnectError((error as AppError).message, code);
  };
  async function* presented<T>(messages: AsyncIterable<T>) {
    try {
      yield* messages;
    } catch (error) {
      throw present(error);
    }
  }
  try {
    const response = await next(request);
    return response.stream ? { ...response, message: presented(response.message) } : response;
  } catch (error) {
    throw present(error);
  }
};

async function listen(server: Http2Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}
