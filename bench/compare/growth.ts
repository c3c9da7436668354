import { readFile, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { type ProcessTree, watchService } from "../processes.ts";
import { type BenchService, startBenchService } from "../service.ts";
import type { CallName } from "./contender.ts";
import { type CountersignContender, startCountersign } from "./countersign.ts";
import { fill, type Population } from "./fill.ts";
import { type Load, type Send, usualConnections } from "./load.ts";
import { readProcessor } from "./measure.ts";
import type { BenchStores } from "./stores.ts";

/** What a call costs at one size. */
export interface GrowthRow extends Population {
  readonly instances: number;
  readonly call: CallName;
  readonly perSecond: number;
  readonly p99Ms: number;
  /** Processor time of one call, by part. Microseconds. */
  readonly processorUs: Readonly<Record<string, number>>;
  readonly errors: number;
}

/** What a row takes in PostgreSQL at the largest size, with its part of the indexes. Bytes. */
export interface RowSizes {
  readonly userBytes: number;
  readonly sessionBytes: number;
}

/** Everything that a run of the growth has found. */
export interface GrowthReport {
  readonly rows: readonly GrowthRow[];
  readonly sizes: RowSizes;
}

/** How it is measured. */
export interface GrowthPlan {
  readonly seconds: number;
  /** How many users, and as many sessions, one after the other. */
  readonly sizes: readonly number[];
  /** Access tokens that are introspected in turn. */
  readonly tokens: number;
}

const instancesMax = 4;
const callsOfGrowth = [
  "login",
  "refresh",
  "introspectHot",
  "introspectOnce",
  "listUsers",
  "searchUsers",
] as const;
const names = 4_096;
const fillMsMax = 300_000;
const amounts = { users: 64, password: "correct horse battery staple", sessions: 200 };

/** Measures the service as its database grows, and then as instances are added. Ends the growth after five minutes. */
export async function measureGrowth(
  stores: BenchStores,
  folder: string,
  { seconds, sizes, tokens }: GrowthPlan,
  send: Send,
): Promise<GrowthReport> {
  const first = await startCountersign(stores, { ...amounts, tokens }, folder, true);
  const client = new Client({ connectionString: first.databaseUrl.replace("?sslmode=disable", "") });
  const others: BenchService[] = [];
  const rows: GrowthRow[] = [];
  try {
    await client.connect();
    let population: Population = { users: amounts.users, sessions: 0 };
    const measure = async (): Promise<void> => {
      const instances = [first.port, ...others.map(({ port }) => port)];
      const own = [first.processes, ...others.map(({ pid }) => watchService(pid))];
      const trees = [...own, stores.postgres, stores.redis];
      for (const call of callsOfGrowth) {
        const load = first.loads[call];
        if (load === undefined) continue;
        const found = await measureTogether(instances, load, trees, seconds, send);
        rows.push({ ...population, instances: instances.length, call, ...found });
      }
    };
    const endAt = performance.now() + fillMsMax;
    for (const size of sizes) {
      process.stderr.write(`filling up to ${size} users and sessions\n`);
      population = await fill(client, population, { users: size, sessions: size }, endAt);
      await spreadLogins(first, population.users);
      await measure();
      if (performance.now() >= endAt) break;
    }
    const rowSizes = await readRowSizes(client);
    while (others.length + 1 < instancesMax) {
      process.stderr.write(`measuring ${others.length + 2} instances\n`);
      others.push(await startBenchService(() => first.settings));
      await untilIdle(stores.postgres);
      await measure();
    }
    return { rows, sizes: rowSizes };
  } finally {
    for (const { stop } of others) await stop();
    await client.end();
    await first.stop();
  }
}

/** What an instance asks once when it starts is no call's. Waits half a minute at most. */
async function untilIdle(tree: ProcessTree): Promise<void> {
  const spent = (): number => Object.values(readProcessor([tree])).reduce((sum, ms) => sum + ms, 0);
  const endAt = performance.now() + 30_000;
  let before = spent();
  while (performance.now() < endAt) {
    await sleep(500);
    const now = spent();
    if (now - before < 25) return;
    before = now;
  }
}

async function readRowSizes(client: Client): Promise<RowSizes> {
  const { rows } = await client.query<{ userBytes: number; sessionBytes: number }>(
    `select pg_total_relation_size('users')::float8 / (select count(*) from users) as "userBytes",
       pg_total_relation_size('sessions')::float8 / (select count(*) from sessions) as "sessionBytes"`,
  );
  const [sizes] = rows;
  if (sizes === undefined) throw new Error("there are no sizes");
  return sizes;
}

/** Logins of users from all over the table. */
async function spreadLogins({ loads: { login } }: CountersignContender, users: number): Promise<void> {
  if (login?.body?.kind !== "each") throw new Error("there is no load of logins");
  const count = Math.min(names, users);
  const bodies = Array.from({ length: count }, (_, index) => {
    const username = `user-${1 + Math.floor((index * users) / count)}`;
    return new URLSearchParams({ username, password: amounts.password }).toString();
  });
  await writeFile(login.body.file, bodies.toSorted(() => Math.random() - 0.5).join("\n"));
}

/** Sends a load to all instances at once, after a short while that warms up. */
async function measureTogether(
  ports: readonly number[],
  load: Load,
  trees: readonly ProcessTree[],
  seconds: number,
  send: Send,
): Promise<Pick<GrowthRow, "perSecond" | "p99Ms" | "processorUs" | "errors">> {
  const loads = await splitLoad(load, ports.length);
  const connections = Math.max(1, Math.floor(usualConnections / ports.length));
  const sendAll = (time: number) =>
    Promise.all(ports.map((port, index) => send(port, loads[index] ?? load, time, connections)));
  await sendAll(2);
  const before = readProcessor(trees);
  const counts = await sendAll(seconds);
  const after = readProcessor(trees);
  await joinLoads(load, loads);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const requests = sum(counts.map((one) => one.requests));
  return {
    perSecond: sum(counts.map((one) => (one.requests - one.errors) / one.seconds)),
    p99Ms: Math.max(...counts.map(({ p99Ms }) => p99Ms)),
    processorUs: Object.fromEntries(
      Object.entries(after).map(([part, ms]) => [part, ((ms - (before[part] ?? 0)) * 1000) / requests]),
    ),
    errors: sum(counts.map((one) => one.errors)),
  };
}

/** Refresh tokens are shared out: two instances that used the same one would look like a theft. */
async function splitLoad(load: Load, count: number): Promise<Load[]> {
  const { body } = load;
  const parts = Array.from({ length: count }, (_, index) => index);
  if (body?.kind === "each") {
    return parts.map((index) => ({ ...load, body: { ...body, from: index * 2_500 } }));
  }
  if (body?.kind !== "refresh" || count === 1) return parts.map(() => load);
  const tokens = (await readFile(body.file, "utf8")).split("\n").filter(Boolean);
  return Promise.all(
    parts.map(async (index) => {
      const file = `${body.file}-${index}`;
      await writeFile(file, [...tokens.filter((_, place) => place % count === index), ""].join("\n"));
      return { ...load, body: { ...body, file } };
    }),
  );
}

async function joinLoads(load: Load, loads: readonly Load[]): Promise<void> {
  if (load.body?.kind !== "refresh" || loads.length === 1) return;
  const texts = loads.map(({ body }) => (body === null ? Promise.resolve("") : readFile(body.file, "utf8")));
  await writeFile(load.body.file, (await Promise.all(texts)).join(""));
}

/** The report as text for a terminal. */
export function printGrowth({ rows, sizes }: GrowthReport): string {
  const lines = rows.map(({ call, users, sessions, instances, perSecond, p99Ms, processorUs, errors }) => {
    const parts = Object.entries(processorUs).map(([part, value]) => `${part} ${value.toFixed(0)}`);
    return [
      call.padEnd(16),
      `${users} users, ${sessions} sessions, ${instances} ${instances === 1 ? "instance" : "instances"}`.padEnd(
        48,
      ),
      `${perSecond.toFixed(0)}/s`.padStart(8),
      `p99 ${p99Ms.toFixed(1)} ms`.padEnd(14),
      `µs: ${parts.join(", ")}`,
      errors > 0 ? `INVALID: ${errors} failed` : "",
    ].join("  ");
  });
  const sorted = callsOfGrowth.flatMap((call) => [
    "",
    ...lines.filter((line) => line.startsWith(`${call} `)),
  ]);
  const { userBytes, sessionBytes } = sizes;
  const size = `in PostgreSQL, with indexes: ${userBytes.toFixed(0)} bytes a user, ${sessionBytes.toFixed(0)} a session`;
  return `${[...sorted, "", size].join("\n")}\n`;
}
