import { setTimeout as sleep } from "node:timers/promises";
import { watchService } from "../processes.ts";
import { startBenchService } from "../service.ts";
import type { BenchStores } from "./stores.ts";
import { type Spread, spreadOf } from "./spread.ts";

/** What a start takes, and what a service holds that nobody has asked anything yet. */
export interface StartFigures {
  readonly readyMs: Spread;
  readonly memoryMib: Readonly<Record<string, Spread>>;
  /** What the hashing process keeps of the memory that it hashes in. */
  readonly hashMib: Spread;
}

const settleMs = 3_000;

/** Starts the service again and again on a PostgreSQL whose migrations are done. */
export async function measureStart(stores: BenchStores, times: number): Promise<StartFigures> {
  const databaseUrl = await stores.createDatabase();
  const redisUrl = stores.nextRedisUrl();
  const start = () =>
    startBenchService((port) => ({
      NODE_ENV: "production",
      ISSUER: `http://localhost:${port}`,
      DATABASE_URL: databaseUrl,
      REDIS_URL: redisUrl,
      SECRET_KEY: "bench-secret-key-0123456789-abcdefghijklm",
      BOOTSTRAP_PASSWORD: "correct horse battery staple",
    }));
  await (await start()).stop();
  const samples: { readyMs: number; memory: Readonly<Record<string, number>>; hashes: number }[] = [];
  for (let time = 0; time < times; time += 1) {
    const service = await start();
    await sleep(settleMs);
    const processes = watchService(service.pid);
    const memory = processes.readMemoryMib();
    samples.push({ readyMs: service.readyMs, memory, hashes: processes.readHashMib()["hashing"] ?? 0 });
    await service.stop();
  }
  const parts = Object.keys(samples[0]?.memory ?? {});
  return {
    readyMs: spreadOf(samples.map(({ readyMs }) => readyMs)),
    memoryMib: Object.fromEntries(
      parts.map((part) => [part, spreadOf(samples.map(({ memory }) => memory[part] ?? 0))]),
    ),
    hashMib: spreadOf(samples.map(({ hashes }) => hashes)),
  };
}
