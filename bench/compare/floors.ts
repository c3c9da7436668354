import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { startChild } from "./child.ts";
import type { Contender, Endpoints } from "./contender.ts";
import type { Load } from "./load.ts";
import { type Amounts, prepareOAuthLoads } from "./oauth-loads.ts";
import { watchTree } from "../processes.ts";
import type { BenchStores } from "./stores.ts";

const servers = join(import.meta.dirname, "..", "servers");

/** Starts the servers that only answer. */
export async function startFloors(folder: string): Promise<Contender[]> {
  const body = join(folder, "floor-frame");
  await writeFile(body, Buffer.alloc(5));
  const get: Load = {
    protocol: "http1",
    method: "GET",
    path: "/",
    headers: {},
    body: null,
    expects: /"active":true/,
  };
  const rpc: Load = {
    protocol: "h2c",
    method: "POST",
    path: "/countersign.v1.TokenService/Introspect",
    headers: { "content-type": "application/grpc", te: "trailers" },
    body: { kind: "fixed", file: body },
    expects: /grpc-status: 0/,
  };
  return Promise.all([
    startFloor("node:http, bare", "http1", { me: get, jwksRest: get, livez: get }),
    startFloor("node:http2, bare", "http2", { introspectGrpc: rpc }),
    startFloor("@grpc/grpc-js, bare", "grpc", { introspectGrpc: rpc }),
  ]);
}

async function startFloor(name: string, server: string, loads: Contender["loads"]): Promise<Contender> {
  const child = await startChild([join(servers, "echo.ts"), server]);
  const { port } = child.line as { port: number };
  return {
    name,
    kind: "floor",
    port,
    processes: watchTree(child.pid, "service"),
    loads,
    stop: () => child.stop(),
  };
}

/** Starts the least service that does the same job. */
export async function startLeast(stores: BenchStores, amounts: Amounts, folder: string): Promise<Contender> {
  const database = await stores.createDatabase();
  const args = [database, stores.nextRedisUrl(), String(amounts.users), amounts.password];
  const child = await startChild([join(servers, "least-service.ts"), ...args]);
  const endpoints = child.line as Endpoints;
  return {
    name: "the least Node service",
    kind: "least",
    port: endpoints.port,
    processes: watchTree(child.pid, "service"),
    loads: await prepareOAuthLoads(endpoints, amounts, folder),
    stop: () => child.stop(),
  };
}

/** Bare Argon2id, two hashes at once. */
export interface HashFloor {
  readonly implementation: string;
  readonly perSecond: number;
  /** Processor time of one hash. */
  readonly processorMs: number;
}

/** Measures bare hashes for so many seconds. */
export async function measureHashes(seconds: number): Promise<HashFloor> {
  const args = [join(servers, "argon2.ts"), String(seconds)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as HashFloor;
}
