import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { parseDatabaseUrl } from "../../src/postgres/connection-string.ts";
import { migrate, pendingMigrations } from "../../src/postgres/migrate.ts";
import { createPool, type Database } from "../../src/postgres/pool.ts";
import {
  createTestDatabase,
  startTestCluster,
  type TestCluster,
  type TestDatabase,
} from "../_harness/postgres.ts";

const warnings: string[] = [];
const log = {
  info: () => undefined,
  warn: (_: object, text: string) => void warnings.push(text),
  error: () => undefined,
};

let cluster: TestCluster;
let database: TestDatabase;
let db: Database;
let folder: string;

beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(() => cluster.stop());
beforeEach(async () => {
  database = await createTestDatabase(cluster);
  db = open();
  folder = await mkdtemp(join(tmpdir(), "countersign-migrations-"));
  await put("0001_first.sql", "CREATE TABLE a (x int);\nINSERT INTO a VALUES (1);");
  await put("0002_second.sql", "INSERT INTO a VALUES (2);");
});
afterEach(async () => {
  await db.end();
  await database.drop();
  await rm(folder, { recursive: true });
});

function open(): Database {
  const target = parseDatabaseUrl(database.url);
  return createPool({ target, statementTimeoutMs: 2000, connectTimeoutMs: 2000, log });
}
const put = (name: string, script: string) => writeFile(join(folder, name), script);
const run = (pool = db, lockTimeoutMs = 10_000) => migrate(pool, { folder, lockTimeoutMs, log });
const rows = () => db.query({ name: "rows", text: "SELECT x FROM a ORDER BY x" });

test("every file is applied once, in order, and what is left is told", async () => {
  expect(await pendingMigrations(db, folder)).toEqual(["0001_first", "0002_second"]);
  expect(await run()).toEqual({ applied: ["0001_first", "0002_second"], current: "0002_second" });
  expect(await run()).toEqual({ applied: [], current: "0002_second" });
  expect(await pendingMigrations(db, folder)).toEqual([]);
  expect(await rows()).toEqual([{ x: 1 }, { x: 2 }]);
});

test("an empty folder is no failure", async () => {
  await rm(join(folder, "0001_first.sql"));
  await rm(join(folder, "0002_second.sql"));
  expect(await run()).toEqual({ applied: [], current: "" });
});

test("instances that start together apply each file once between them", async () => {
  await put("0001_first.sql", "CREATE TABLE a (x int); INSERT INTO a VALUES (1); SELECT pg_sleep(0.3);");
  const others = [open(), open()];
  const results = await Promise.all([run(), ...others.map((other) => run(other))]);
  await Promise.all(others.map((other) => other.end()));
  expect(results.flatMap(({ applied }) => applied).toSorted()).toEqual(["0001_first", "0002_second"]);
  expect(results.map(({ current }) => current)).toEqual(["0002_second", "0002_second", "0002_second"]);
  expect(await rows()).toEqual([{ x: 1 }, { x: 2 }]);
});

test("the wait for another instance ends with its time limit", async () => {
  const release = Promise.withResolvers<void>();
  const locked = Promise.withResolvers<void>();
  const holding = db.transaction(async (transaction) => {
    await transaction.execute("SELECT pg_advisory_xact_lock(1668507502)");
    locked.resolve();
    await release.promise;
  });
  await locked.promise;
  await expect(run(db, 200)).rejects.toMatchObject({ reason: "unavailable" });
  release.resolve();
  await holding;
});

test("a failing script leaves no trace of itself, and keeps those before it", async () => {
  await put("0002_second.sql", "INSERT INTO a VALUES (2); INSERT INTO missing VALUES (1);");
  await expect(run()).rejects.toThrow("missing");
  expect(await rows()).toEqual([{ x: 1 }]);
  expect(await pendingMigrations(db, folder)).toEqual(["0002_second"]);
});

test("a script that ends its own transaction is refused", async () => {
  await put("0002_second.sql", "INSERT INTO a VALUES (2); COMMIT;");
  await expect(run()).rejects.toThrow("it must not contain COMMIT");
});

test("a file that was changed after it was applied is refused, except for its line endings", async () => {
  await run();
  await put("0001_first.sql", "CREATE TABLE a (x int);\r\nINSERT INTO a VALUES (1);");
  await run();
  await put("0001_first.sql", "CREATE TABLE a (x bigint);");
  await expect(run()).rejects.toThrow("The migration 0001_first was changed after it was applied");
  await expect(pendingMigrations(db, folder)).rejects.toThrow("was changed after it was applied");
});

test("a database that is newer than the code is left alone, with a warning", async () => {
  await run();
  await rm(join(folder, "0002_second.sql"));
  warnings.length = 0;
  expect(await run()).toEqual({ applied: [], current: "0002_second" });
  expect(warnings).toEqual(["the database is newer than this code; it is used as it is"]);
});

test("a gap in the database is refused", async () => {
  await run();
  await db.query({ name: "gap", text: "DELETE FROM schema_migrations WHERE version = 1" });
  await expect(run()).rejects.toThrow("The database lacks migration 1, but has migration 2.");
});

test.each([
  { name: "0004_gap.sql", message: "should have the number 0003" },
  { name: "0002_twice.sql", message: "should have the number 0003" },
  { name: "3_short.sql", message: "is not named like 0001_name.sql" },
  { name: "0003_Upper.sql", message: "is not named like 0001_name.sql" },
  { name: "0003_note.txt", message: "is not named like 0001_name.sql" },
])("a folder with $name is refused", async ({ name, message }) => {
  await put(name, "SELECT 1;");
  await expect(run()).rejects.toThrow(message);
});
