import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { parseDatabaseUrl } from "../../src/postgres/connection-string.ts";
import { createPool, type Database } from "../../src/postgres/pool.ts";
import { eventually } from "../_harness/eventually.ts";
import { printFigures } from "../_harness/figures.ts";
import { hangPostgres } from "../_harness/hang-postgres.ts";
import { startTestCluster, type TestCluster } from "../_harness/postgres.ts";
import { openSql } from "../_harness/sql.ts";

// A server that is frozen or cut off refuses nothing: it takes connections, and never says a word.

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
const unavailable = { reason: "unavailable" };
const whichServer = { name: "which", text: "SELECT inet_server_port() AS port" };
const timeoutMs = 5_000;
/** A silence of a second, noticed after half of one, and the next host's second at most; and a busy machine. */
const foundMs = 3_000 + 3_000;

let first: TestCluster;
let second: TestCluster;
let password: string;
const pools: Database[] = [];

function open(...clusters: readonly TestCluster[]): Database {
  const hosts = clusters.map(({ port }) => `127.0.0.1:${port}`).join(",");
  const target = parseDatabaseUrl(`postgres://postgres:${password}@${hosts}/postgres`);
  const db = createPool({ target, statementTimeoutMs: timeoutMs, connectTimeoutMs: timeoutMs, log: quiet });
  pools.push(db);
  return db;
}

async function portOf(db: Database): Promise<number | undefined> {
  const [row] = await db.query<{ port: number }>(whichServer);
  return row?.port;
}

const succeeds = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );

beforeAll(async () => {
  [first, second] = await Promise.all([startTestCluster(), startTestCluster()]);
  password = new URL(first.url).password;
  const admin = await openSql(second.url);
  await admin.query(`ALTER ROLE postgres PASSWORD '${password}'`);
  await admin.end();
});
afterAll(async () => {
  await Promise.all(pools.map((db) => db.end()));
  await Promise.all([first.stop(), second.stop()]);
});

test("under load a silent primary is left for the next host within seconds, and no call waits longer than its time", async () => {
  const db = open(first, second);
  expect(await portOf(db)).toBe(first.port);
  const goOn = await hangPostgres(first.pid());
  const hungAt = performance.now();
  const calls: { ms: number; port: number | undefined; at: number }[] = [];
  const call = async (): Promise<void> => {
    const startedAt = performance.now();
    const port = await portOf(db).catch(() => undefined);
    calls.push({ ms: performance.now() - startedAt, port, at: performance.now() - hungAt });
  };
  const under: Promise<void>[] = [];
  try {
    while (performance.now() - hungAt < 2 * foundMs && !calls.some(({ port }) => port === second.port)) {
      under.push(call());
      // sleep: a steady load.
      await sleep(12);
    }
    await Promise.all(under);
  } finally {
    goOn();
  }
  const found = Math.min(...calls.filter(({ port }) => port === second.port).map(({ at }) => at));
  const longest = Math.max(...calls.map(({ ms }) => ms));
  expect(found).toBeLessThan(foundMs);
  expect(longest).toBeLessThan(timeoutMs + 1_000);
  printFigures("a silent primary under 80 calls a second", {
    "the next host after ms": Math.round(found),
    "longest call ms": Math.round(longest),
    failed: calls.filter(({ port }) => port === undefined).length,
    of: calls.length,
  });
});

test("a silent host is passed over by whoever connects", async () => {
  const goOn = await hangPostgres(first.pid());
  try {
    expect(await portOf(open(first, second))).toBe(second.port);
  } finally {
    goOn();
  }
});

test("where the only host is silent, calls are soon told at once, and it serves again when it speaks", async () => {
  const db = open(first);
  await portOf(db);
  const goOn = await hangPostgres(first.pid());
  const startedAt = performance.now();
  await expect(portOf(db)).rejects.toMatchObject(unavailable);
  const noticed = performance.now() - startedAt;
  const waits: number[] = [];
  for (let count = 0; count < 5; count += 1) {
    const askedAt = performance.now();
    await expect(portOf(db)).rejects.toMatchObject(unavailable);
    waits.push(performance.now() - askedAt);
  }
  await expect(db.ping()).rejects.toMatchObject(unavailable);
  goOn();
  expect(noticed).toBeLessThan(timeoutMs);
  expect(waits.toSorted((a, b) => a - b)[2]).toBeLessThan(timeoutMs / 5);
  const backAt = performance.now();
  await eventually(() => succeeds(portOf(db)), 10_000);
  printFigures("the only host is silent", {
    "noticed after ms": Math.round(noticed),
    "then told after ms": Math.round(Math.max(...waits)),
    "served again after ms": Math.round(performance.now() - backAt),
  });
});

test("a slow statement on a server that answers others is no silence", async () => {
  const db = open(first);
  const sleeping = db.query({ name: "sleeping", text: "SELECT pg_sleep(3)" });
  await expect(sleeping).resolves.toHaveLength(1);
});

test("a primary that takes no writes serves reads until one does; health says no", async () => {
  const admin = await openSql(first.url);
  const db = open(first);
  const write = { name: "write", text: "CREATE TABLE IF NOT EXISTS written (a int)" };
  await db.query(write);
  await admin.query("ALTER SYSTEM SET default_transaction_read_only = on");
  await admin.query("SELECT pg_reload_conf()");
  try {
    await eventually(async () => !(await succeeds(db.query(write))));
    expect(await portOf(db)).toBe(first.port);
    await expect(db.query(write)).rejects.toMatchObject(unavailable);
    await expect(db.ping()).rejects.toMatchObject(unavailable);
    expect(await portOf(db)).toBe(first.port);
    expect(await portOf(open(first))).toBe(first.port);
  } finally {
    await admin.query("SET default_transaction_read_only = off");
    await admin.query("ALTER SYSTEM RESET default_transaction_read_only");
    await admin.query("SELECT pg_reload_conf()");
    await admin.end();
  }
  await eventually(() => succeeds(db.ping()), 10_000);
  await db.query(write);
});
