import { createServer } from "node:net";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { parseDatabaseUrl } from "../../src/postgres/connection-string.ts";
import { createPool, type Database, isUniqueViolation, type PoolOptions } from "../../src/postgres/pool.ts";
import { nobody } from "../../src/postgres/observer.ts";
import { freePort } from "../_harness/ports.ts";
import {
  createTestDatabase,
  startTestCluster,
  type TestCluster,
  type TestDatabase,
} from "../_harness/postgres.ts";

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
const unavailable = {
  reason: "unavailable",
  message: "The user store cannot be reached.",
  retryAfterMs: 1000,
};

let cluster: TestCluster;
let database: TestDatabase;
const pools: Database[] = [];

function open(options: Partial<PoolOptions> = {}, url = database.url): Database {
  const pool = createPool({
    target: parseDatabaseUrl(url),
    statementTimeoutMs: 2000,
    connectTimeoutMs: 2000,
    log: quiet,
    ...options,
  });
  pools.push(pool);
  return pool;
}

beforeAll(async () => {
  cluster = await startTestCluster();
  database = await createTestDatabase(cluster);
  await open().transaction((transaction) =>
    transaction.execute(
      "CREATE TABLE person (id int PRIMARY KEY, name text CONSTRAINT person_name_key UNIQUE)",
    ),
  );
});
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.end()));
  await cluster.stop();
});

const settings = {
  name: "settings",
  text: `SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
    current_setting('idle_in_transaction_session_timeout') AS idle, current_setting('timezone') AS zone,
    current_setting('application_name') AS application, current_setting('jit') AS jit,
    current_setting('plan_cache_mode') AS plans, current_setting('datestyle') AS dates,
    current_setting('transaction_isolation') AS isolation, current_setting('enable_seqscan') AS scans`,
};
const insert = { name: "insert_person", text: "INSERT INTO person (id, name) VALUES ($1, $2)" };
const countPeople = {
  name: "count_person",
  text: "SELECT count(*)::int AS people FROM person WHERE name = $1",
};

/** Settles as `work` does, later: as what is asked for through other layers does. */
async function later<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } finally {
    // sleep: the pool takes the connection back.
    await sleep(100);
  }
}

describe("a pool", () => {
  test("sets limits, UTC and the application's name on every connection, whatever the database's defaults", async () => {
    const own = {
      statement: "2s",
      lock: "2s",
      idle: "4s",
      zone: "UTC",
      application: "countersign",
      jit: "off",
      plans: "force_generic_plan",
      dates: "ISO, MDY",
      isolation: "read committed",
      scans: "off",
    };
    const odd = await createTestDatabase(cluster);
    const name = new URL(odd.url).pathname.slice(1);
    const defaults = {
      default_transaction_isolation: "serializable",
      datestyle: "German, DMY",
      timezone: "Asia/Kolkata",
      jit: "on",
      plan_cache_mode: "force_custom_plan",
      enable_seqscan: "on",
    };
    const scripts = Object.entries(defaults).map(
      ([setting, value]) => `ALTER DATABASE ${name} SET ${setting} = '${value}'`,
    );
    await open().transaction((transaction) => transaction.execute(scripts.join(";")));
    const db = open({}, odd.url);
    // A caller who has waited for a new connection has less time left than the whole.
    await db.ping();
    await db.query({ name: "warm-up", text: "SELECT 1" });
    expect(await db.query(settings)).toEqual([own]);
    expect(await db.transaction((transaction) => transaction.query(settings))).toEqual([own]);
    const time = { name: "time", text: "SELECT '2026-03-04 05:06:07+00'::timestamptz AS at" };
    expect(await db.query(time)).toEqual([{ at: new Date("2026-03-04T05:06:07Z") }]);
  });

  test("keeps what a transaction did when it returns, and undoes it when it throws", async () => {
    const db = open();
    await db.transaction((transaction) => transaction.query(insert, [1, "kept"]));
    const failure = new Error("our own");
    const failing = db.transaction(async (transaction) => {
      await transaction.query(insert, [2, "undone"]);
      throw failure;
    });
    await expect(failing).rejects.toBe(failure);
    expect(await db.query(countPeople, ["kept"])).toEqual([{ people: 1 }]);
    expect(await db.query(countPeople, ["undone"])).toEqual([{ people: 0 }]);
  });

  test("takes statements that were asked for together in their order, as one transaction", async () => {
    const db = open();
    const rename = {
      name: "rename_person",
      text: "UPDATE person SET name = $2 WHERE id = $1 RETURNING name",
    };
    const rows = await db.transaction((transaction) =>
      Promise.all([
        transaction.query(insert, [40, "first"]),
        transaction.query(rename, [40, "second"]),
        transaction.query(countPeople, ["second"]),
      ]),
    );
    expect(rows).toEqual([[], [{ name: "second" }], [{ people: 1 }]]);
  });

  test("tells the first failure of statements that went together, undoes them all, and keeps its connection", async () => {
    const failures: string[] = [];
    const db = open({ max: 1, observer: { ...nobody, onFailure: (kind) => failures.push(kind) } });
    const ownPid = { name: "pid", text: "SELECT pg_backend_pid() AS pid" };
    const [before] = await db.query(ownPid);
    const failing = db.transaction((transaction) =>
      Promise.all([
        transaction.query(insert, [41, "undone too"]),
        later(transaction.query(insert, [41, "twice"])),
        transaction.query(countPeople, ["undone too"]),
      ]),
    );
    const error: unknown = await failing.catch((thrown: unknown) => thrown);
    expect(isUniqueViolation(error, "person_pkey")).toBe(true);
    expect(failures).toEqual(["conflict"]);
    expect(await db.query(countPeople, ["undone too"])).toEqual([{ people: 0 }]);
    expect(await db.query(ownPid)).toEqual([before]);
  });

  test("does not pretend to have committed when a statement failed and its error was swallowed", async () => {
    const swallowing = open().transaction(async (transaction) => {
      await transaction.query(insert, [1, "twice"]).catch(() => undefined);
    });
    await expect(swallowing).rejects.toThrow("it was undone");
  });

  test("leaves a unique violation to the store, which recognises it by its constraint", async () => {
    const db = open();
    await db.query(insert, [10, "taken"]);
    const error: unknown = await db.query(insert, [11, "taken"]).catch((thrown: unknown) => thrown);
    expect(isUniqueViolation(error, "person_name_key")).toBe(true);
    expect(isUniqueViolation(error)).toBe(true);
    expect(isUniqueViolation(error, "person_pkey")).toBe(false);
    expect(isUniqueViolation(new Error("other"))).toBe(false);
  });

  test("prepares a statement anew after a migration changed its columns", async () => {
    const db = open({ max: 2 });
    const star = { name: "star", text: "SELECT * FROM changing" };
    await db.transaction((transaction) => transaction.execute("CREATE TABLE changing (a int)"));
    await Promise.all([db.query(star), db.query(star)]);
    await db.transaction((transaction) => transaction.execute("ALTER TABLE changing ADD COLUMN b int"));
    expect(await Promise.all([db.query(star), db.query(star), db.query(star)])).toEqual([[], [], []]);
  });

  test("answers a ping, and stops waiting for one that is aborted", async () => {
    const db = open();
    await db.ping();
    await db.ping(AbortSignal.timeout(1000));
    const slow = open({ connectTimeoutMs: 300 }, await silentServer());
    await expect(slow.ping(AbortSignal.timeout(50))).rejects.toMatchObject({ name: "TimeoutError" });
  });

  test("closes once, however often it is asked to", async () => {
    const db = open();
    await db.ping();
    await Promise.all([db.end(), db.end()]);
    await expect(db.ping()).rejects.toMatchObject(unavailable);
  });
});

describe("a failure that passes is told as unavailable", () => {
  test("nobody listens", async () => {
    const url = `postgres://ann:hunter2@127.0.0.1:${await freePort()}/app`;
    const error: unknown = await open({}, url)
      .ping()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject(unavailable);
    expect(JSON.stringify(error) + String(error)).not.toContain("hunter2");
  });

  test("the host's name does not exist", async () => {
    await expect(open({}, "postgres://ann@nowhere.invalid/app").ping()).rejects.toMatchObject(unavailable);
  });

  test("the host takes the connection and says nothing", async () => {
    const db = open({ connectTimeoutMs: 200 }, await silentServer());
    await expect(db.ping()).rejects.toMatchObject(unavailable);
  });

  test("the password is wrong", async () => {
    const url = new URL(database.url);
    url.password = "wrong";
    await expect(open({}, url.href).ping()).rejects.toMatchObject(unavailable);
  });

  test("a statement takes too long", async () => {
    const db = open({ statementTimeoutMs: 100 });
    await expect(db.query({ name: "sleep", text: "SELECT pg_sleep(5)" })).rejects.toMatchObject(unavailable);
    await db.ping();
  });

  test("no connection becomes free in time", async () => {
    const db = open({ max: 1, statementTimeoutMs: 300 });
    const [holding, waiting] = await Promise.allSettled([
      // sleep: the connection is taken for so long.
      db.transaction(() => sleep(1_000)),
      db.query(settings),
    ]);
    expect(holding).toMatchObject({ status: "rejected", reason: unavailable });
    expect(waiting).toMatchObject({ status: "rejected", reason: unavailable });
    await db.query(settings);
  });

  test("two transactions wait for each other", async () => {
    const db = open({ statementTimeoutMs: 5000 });
    await db.query(insert, [20, "left"]);
    await db.query(insert, [21, "right"]);
    const lock = { name: "lock_person", text: "SELECT id FROM person WHERE id = $1 FOR UPDATE" };
    const both = Promise.withResolvers<void>();
    let arrived = 0;
    const cross = (first: number, second: number) =>
      db.transaction(async (transaction) => {
        await transaction.query(lock, [first]);
        arrived += 1;
        if (arrived === 2) {
          both.resolve();
        }
        await both.promise;
        await transaction.query(lock, [second]);
      });
    const ends = await Promise.allSettled([cross(20, 21), cross(21, 20)]);
    expect(ends.find((end) => end.status === "rejected")?.reason).toMatchObject(unavailable);
    expect(ends.some((end) => end.status === "fulfilled")).toBe(true);
  });

  test("an administrator ends the session, in a transaction and when idle; then all is well again", async () => {
    const db = open({ max: 1 });
    const admin = open();
    const ownPid = { name: "pid", text: "SELECT pg_backend_pid() AS pid" };
    const terminate = { name: "terminate", text: "SELECT pg_terminate_backend($1)" };
    const cut = db.transaction(async (transaction) => {
      const [row] = await transaction.query<{ pid: number }>(ownPid);
      await admin.query(terminate, [row?.pid]);
      // sleep: the pool reads the end of its connection.
      await sleep(50);
      await transaction.query(ownPid);
    });
    await expect(cut).rejects.toMatchObject(unavailable);
    const [row] = await db.query<{ pid: number }>(ownPid);
    await admin.query(terminate, [row?.pid]);
    // sleep: the pool reads the end of its connection.
    await sleep(50);
    await db.ping();
  });
});

/** The address of a server that takes connections and never says a word; it ends with the tests. */
async function silentServer(): Promise<string> {
  const server = createServer(() => undefined).listen(0, "127.0.0.1");
  server.unref();
  await once(server, "listening");
  const address = server.address();
  const port = address === null || typeof address === "string" ? 0 : address.port;
  return `postgres://ann@127.0.0.1:${port}/app?sslmode=disable`;
}
