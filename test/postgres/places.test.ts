import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { asKind, runCall, type WorkKind, workKinds } from "../../src/lib/work.ts";
import { parseDatabaseUrl } from "../../src/postgres/connection-string.ts";
import { nobody, type PoolFigures } from "../../src/postgres/observer.ts";
import { createPool, type Database, type PoolOptions } from "../../src/postgres/pool.ts";
import { eventually } from "../_harness/eventually.ts";
import { hangPostgres } from "../_harness/hang-postgres.ts";
import { startTestCluster, type TestCluster } from "../_harness/postgres.ts";
import { openSql } from "../_harness/sql.ts";

// What a pool owes its callers, whatever happens to PostgreSQL or to those who have a connection.

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
const unavailable = { reason: "unavailable" };
const read = { name: "read", text: "SELECT count(*)::int AS rows FROM client" };
const write = { name: "write", text: "UPDATE client SET uses = uses + 1" };
const free = { name: "free", text: "SELECT 1 AS one" };
/** What a machine that is busy with other tests adds to any time. */
const busyMs = 6_000;

interface WatchedPool extends Database {
  figures(): PoolFigures;
}

let cluster: TestCluster;
let admin: Client;
const pools: Database[] = [];

function open(url: string, options: Partial<PoolOptions> = {}): WatchedPool {
  let figures: () => PoolFigures = () => ({ idle: 0, busy: 0, max: 0, waiting: 0, isAway: false });
  const pool = createPool({
    target: parseDatabaseUrl(url),
    statementTimeoutMs: 20_000,
    connectTimeoutMs: 3_000,
    log: quiet,
    observer: { ...nobody, watchPool: (read) => (figures = read) },
    ...options,
  });
  pools.push(pool);
  return { ...pool, figures: () => figures() };
}

beforeAll(async () => {
  cluster = await startTestCluster({ settings: { synchronous_commit: "on" } });
  admin = await openSql(cluster.url);
  await admin.query("CREATE TABLE client (uses int); INSERT INTO client VALUES (0)");
});
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.end()));
  await admin.end();
  await cluster.stop();
});

/** Asks so many times a second until the signal; answers how the calls ended. */
async function load(db: Database, perSecond: number, signal: AbortSignal) {
  const calls: Promise<{ ok: boolean; ms: number }>[] = [];
  while (!signal.aborted) {
    const startedAt = performance.now();
    const end = (ok: boolean) => ({ ok, ms: performance.now() - startedAt });
    calls.push(
      db.query(read).then(
        () => end(true),
        () => end(false),
      ),
    );
    // sleep: a steady load.
    await sleep(1000 / perSecond);
  }
  return Promise.all(calls);
}

/** How many of four places each kind may hold. What a read changes is a change. */
const sharesOfFour = { login: 2, refresh: 4, change: 2, search: 1, background: 2 } as const;

/** Every place is there: nobody holds one, nobody waits, and every kind of work can fill its share. */
async function expectAllPlaces(db: WatchedPool): Promise<void> {
  await eventually(() => isAtRest(db), 10_000);
  for (const [kind, share] of Object.entries(sharesOfFour)) {
    // Whoever gets the last one may be late on a busy machine, so that those before it are over.
    await eventually(() => canHold(db, kind as WorkKind, share), 20_000);
  }
}

const isAtRest = (db: WatchedPool): boolean => db.figures().busy === 0 && db.figures().waiting === 0;

async function canHold(db: WatchedPool, kind: WorkKind, count: number): Promise<boolean> {
  const held = Promise.withResolvers<void>();
  const holding = Array.from({ length: count }, () => as(kind, () => db.transaction(() => held.promise)));
  const ended = Promise.allSettled(holding);
  const areHeld = await succeeds(eventually(() => db.figures().busy === count, 1_400));
  held.resolve();
  await ended;
  await eventually(() => isAtRest(db), 10_000);
  return areHeld;
}

const succeeds = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );

const as = <T>(kind: WorkKind, run: () => Promise<T>): Promise<T> => runCall(asKind(kind, run));

async function backends(): Promise<number> {
  const { rows } = await admin.query<{ count: number }>(
    "SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'countersign'",
  );
  return rows[0]?.count ?? 0;
}

describe("no place is lost", () => {
  test("where backends are terminated twenty times under a lock and 80 calls a second", async () => {
    const db = open(cluster.url, { statementTimeoutMs: 1_500 });
    const locker = await openSql(cluster.url);
    await locker.query("BEGIN; LOCK TABLE client IN ACCESS EXCLUSIVE MODE");
    const over = new AbortController();
    const calls = load(db, 80, over.signal);
    for (let count = 0; count < 20; count += 1) {
      // sleep: the load runs on between two breaks.
      await sleep(200);
      await admin.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'countersign'",
      );
    }
    await locker.query("ROLLBACK");
    await locker.end();
    over.abort();
    const ended = await calls;
    expect(Math.max(...ended.map(({ ms }) => ms))).toBeLessThan(1_500 + busyMs);
    await expectAllPlaces(db);
  });

  test("where a caller's time is over while its connection is being set up", async () => {
    const db = open(cluster.url, { statementTimeoutMs: 1_500 });
    await db.ping();
    const goOn = await hangPostgres(cluster.pid());
    const calls = await Promise.allSettled(Array.from({ length: 20 }, () => db.query(free)));
    expect(calls.every(({ status }) => status === "rejected")).toBe(true);
    goOn();
    await eventually(
      () =>
        db.query(free).then(
          () => true,
          () => false,
        ),
      10_000,
    );
    await expectAllPlaces(db);
  });

  test("where whoever has it never gives it back", async () => {
    const db = open(cluster.url, { statementTimeoutMs: 1_500 });
    void db.transaction(() => new Promise(() => undefined)).catch(() => undefined);
    void db
      .transaction(async (tx) => {
        await tx.query(free);
        await new Promise(() => undefined);
      })
      .catch(() => undefined);
    await eventually(() => db.figures().busy === 2);
    await expectAllPlaces(db);
  });

  test("where commits wait for a standby that is not there; no session of the server is left behind", async () => {
    const db = open(cluster.url, { statementTimeoutMs: 1_500 });
    await db.query(free);
    const before = await backends();
    await admin.query("ALTER SYSTEM SET synchronous_standby_names = 'away'");
    await admin.query("SELECT pg_reload_conf()");
    try {
      await eventually(async () => {
        return as("login", () => db.query(write)).then(
          () => false,
          () => true,
        );
      });
      const stuck = Array.from({ length: 6 }, () => as("login", () => db.query(write)));
      await expect(as("read", () => db.query(read))).resolves.toEqual([{ rows: 1 }]);
      for (const call of stuck) await expect(call).rejects.toMatchObject(unavailable);
    } finally {
      await admin.query("ALTER SYSTEM RESET ALL");
      await admin.query("SELECT pg_reload_conf()");
    }
    await expectAllPlaces(db);
    await eventually(async () => (await backends()) <= before + 10);
  });
});

describe("one kind of work that stands still leaves the others", () => {
  test("logins on a locked table hold up no refresh, no reader and nothing in the background", async () => {
    const db = open(cluster.url);
    const locker = await openSql(cluster.url);
    await locker.query("BEGIN; LOCK TABLE client IN EXCLUSIVE MODE");
    const stuck = Array.from({ length: 20 }, () => as("login", () => db.query(write)));
    await eventually(() => db.figures().waiting > 0);
    for (const kind of ["refresh", "read", "search", "background"] as const) {
      expect(await as(kind, () => db.query(read))).toEqual([{ rows: 1 }]);
    }
    expect(db.figures().waiting).toBeGreaterThan(0);
    await locker.query("ROLLBACK");
    await locker.end();
    await Promise.all(stuck);
    await expectAllPlaces(db);
  });

  test("where all but one kind stand still, that one is served", async () => {
    const db = open(cluster.url, { max: 1 });
    const held = Promise.withResolvers<void>();
    const others = workKinds.filter((kind) => kind !== "read");
    const holding = others.map((kind) => as(kind, () => db.transaction(() => held.promise)));
    await eventually(() => db.figures().busy === others.length);
    expect(await as("read", () => db.query(free))).toEqual([{ one: 1 }]);
    held.resolve();
    await Promise.all(holding);
  });

  test("whoever waits longest comes first", async () => {
    const db = open(cluster.url, { max: 1 });
    const held = Promise.withResolvers<void>();
    const holding = as("read", () => db.transaction(() => held.promise));
    const order: number[] = [];
    const waiting = Array.from({ length: 5 }, (_, index) =>
      as("change", () => db.query(free)).then(() => order.push(index)),
    );
    held.resolve();
    await Promise.all([holding, ...waiting]);
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });
});

describe("a caller's time", () => {
  test("is counted once for all that a call asks for", async () => {
    const db = open(cluster.url, { statementTimeoutMs: 1_000 });
    const sleeping = { name: "sleeping", text: "SELECT pg_sleep(0.7)" };
    // Each of them has time enough for itself.
    const call = runCall(async () => {
      await db.query(sleeping);
      await db.query(sleeping);
    });
    await expect(call).rejects.toMatchObject(unavailable);
    await expectAllPlaces(db);
  });

  test("is not counted where others are waited for", async () => {
    const db = open(cluster.url, { statementTimeoutMs: 1_500 });
    const call = runCall(async () => {
      await db.query(free);
      // sleep: the caller waits for something else.
      await sleep(1_600);
      return db.query(free);
    });
    await expect(call).resolves.toEqual([{ one: 1 }]);
  });

  test("is kept by the server too, so that the place is free again", async () => {
    const db = open(cluster.url, { max: 1, statementTimeoutMs: 3_000 });
    // sleep: the place is taken for so long.
    const first = db.transaction(() => sleep(1_800));
    const second = db.query({ name: "long", text: "SELECT pg_sleep(20)" });
    await first;
    await expect(second).rejects.toMatchObject(unavailable);
    await eventually(() => db.figures().busy === 0);
    // Given up, it would have been closed.
    expect(db.figures().idle).toBe(1);
  });
});
