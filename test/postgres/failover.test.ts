import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { parseDatabaseUrl } from "../../src/postgres/connection-string.ts";
import { createPool, type Database } from "../../src/postgres/pool.ts";
import { eventually } from "../_harness/eventually.ts";
import { freePort } from "../_harness/ports.ts";
import { startTestCluster, type TestCluster } from "../_harness/postgres.ts";
import { withSql } from "../_harness/sql.ts";

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
const whichServer = { name: "which", text: "SELECT inet_server_port() AS port" };
const write = { name: "write", text: "CREATE TABLE IF NOT EXISTS written (a int)" };

let first: TestCluster;
let second: TestCluster;
let db: Database;

async function port(): Promise<number | undefined> {
  const [row] = await db.query<{ port: number }>(whichServer);
  return row?.port;
}

function setReadOnly(cluster: TestCluster, isReadOnly: boolean): Promise<void> {
  const wanted = isReadOnly ? "on" : "off";
  // Past the pool: there a statement that has waited runs in a transaction, which this one cannot.
  return withSql(cluster.url, async (sql) => {
    await sql.query(`ALTER SYSTEM SET default_transaction_read_only = ${wanted}`);
    await sql.query("SELECT pg_reload_conf()");
    await eventually(async () => {
      const { rows } = await sql.query<{ default_transaction_read_only: string }>(
        "SHOW default_transaction_read_only",
      );
      return rows[0]?.default_transaction_read_only === wanted;
    });
  });
}

const limits = { statementTimeoutMs: 2000, connectTimeoutMs: 1000, log: quiet };

beforeAll(async () => {
  [first, second] = await Promise.all([startTestCluster(), startTestCluster()]);
  // One password for both, as a primary and its standby have.
  const password = new URL(first.url).password;
  const admin = createPool({ ...limits, target: parseDatabaseUrl(second.url) });
  await admin.query({ name: "password", text: `ALTER ROLE postgres PASSWORD '${password}'` });
  await admin.end();
  second = { ...second, url: second.url.replace(new URL(second.url).password, password) };
  const hosts = `127.0.0.1:${await freePort()},127.0.0.1:${first.port},127.0.0.1:${second.port}`;
  const target = parseDatabaseUrl(`postgres://postgres:${password}@${hosts}/postgres?sslmode=prefer`);
  db = createPool({ ...limits, target });
});
afterAll(async () => {
  await db.end();
  await Promise.all([first.stop(), second.stop()]);
});

test("of several hosts the first that answers is taken, without TLS where prefer finds none", async () => {
  expect(await port()).toBe(first.port);
});

test("a primary that became read-only is left for the one that takes writes", async () => {
  await setReadOnly(first, true);
  await expect(db.query(write)).rejects.toMatchObject({ reason: "unavailable" });
  await db.query(write);
  expect(await port()).toBe(second.port);
  await setReadOnly(first, false);
});

test("a primary that dies is left for the next, without a restart", async () => {
  expect(await port()).toBe(second.port);
  await second.kill9();
  // sleep: the pool reads the end of its connections.
  await sleep(50);
  const ports = await Promise.all([port(), port(), port(), port()]);
  expect(new Set(ports)).toEqual(new Set([first.port]));
  await second.start();
});

test("with every host down it says unavailable, and finds the first one that comes back", async () => {
  await Promise.all([first.pause(), second.pause()]);
  await expect(port()).rejects.toMatchObject({ reason: "unavailable" });
  await second.start();
  // It looks once a second, and a call in between does not wait that long.
  await eventually(async () => (await port().catch(() => undefined)) === second.port);
  await first.start();
});
