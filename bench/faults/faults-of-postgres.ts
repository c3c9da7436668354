import type { Client } from "pg";
import { hangPostgres } from "../../test/_harness/hang-postgres.ts";
import { openSql } from "../../test/_harness/sql.ts";
import { asOthers, type Database, reload } from "./database.ts";
import type { Fault } from "./fault.ts";
import type { Stage } from "./stage.ts";

const plain = { standby: "async" } as const;
const pair = { standby: "sync" } as const;
const pooled = { isBehindPgBouncer: true } as const;

async function stop({ database: { cluster } }: Stage): Promise<() => Promise<void>> {
  await cluster.pause();
  return () => cluster.start();
}

async function freeze({ database: { cluster } }: Stage): Promise<() => Promise<void>> {
  const goOn = await hangPostgres(cluster.pid());
  return async () => goOn();
}

function lock(table: string): Fault["apply"] {
  return async ({ database }) => {
    const holder = await openSql(database.adminUrl);
    await holder.query(`begin; lock table ${table} in access exclusive mode`);
    return async () => {
      await holder.query("rollback");
      await holder.end();
    };
  };
}

const endConnections = "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'service'";

/** Whoever comes first has the last ones: the service's are ended, until others have all. */
async function takeConnections({ database }: Stage): Promise<() => Promise<void>> {
  const others: Client[] = [];
  const admin = await openSql(database.adminUrl);
  for (let round = 0; round < 5; round += 1) {
    await admin.query(endConnections);
    for (let isRoom = true; isRoom; ) {
      const client = await openSql(asOthers(database.url)).catch(() => null);
      isRoom = client !== null;
      if (client !== null) others.push(client.on("error", () => undefined));
    }
  }
  await admin.end();
  return async () => {
    await Promise.all(others.map((client) => client.end()));
  };
}

async function set(database: Database, setting: string, value: string): Promise<() => Promise<void>> {
  await database.run(`alter system set ${setting} = ${value}`, reload);
  return () => database.run(`alter system reset ${setting}`, reload);
}

async function fillDisk({ database }: Stage): Promise<() => Promise<void>> {
  // No room within the pages either.
  await database.run("vacuum full");
  await database.disk?.fill();
  return async () => database.disk?.free();
}

async function stallStandby({ database }: Stage): Promise<() => Promise<void>> {
  const reset = await set(database, "synchronous_standby_names", "'*'");
  const goOn = await hangPostgres(database.standby?.pid ?? -1);
  return async () => {
    goOn();
    await reset();
  };
}

async function loseDeadPrimary({ database: { cluster, standby } }: Stage): Promise<() => Promise<void>> {
  await cluster.kill9();
  return async () => standby?.promote();
}

async function loseSilentPrimary(stage: Stage): Promise<() => Promise<void>> {
  stage.atEnd(await freeze(stage));
  return async () => stage.database.standby?.promote();
}

/** What PostgreSQL does to us. */
export const faultsOfPostgres: readonly Fault[] = [
  { name: "postgres-stopped", title: "PostgreSQL stopped", stage: plain, apply: stop },
  { name: "postgres-frozen", title: "PostgreSQL frozen", stage: plain, apply: freeze },
  { name: "users-locked", title: "`users` locked", stage: plain, apply: lock("users") },
  { name: "sessions-locked", title: "`sessions` locked", stage: plain, apply: lock("sessions") },
  { name: "connections-taken", title: "PostgreSQL out of connections", stage: plain, apply: takeConnections },
  {
    name: "postgres-read-only",
    title: "PostgreSQL read-only",
    stage: plain,
    apply: ({ database }) => set(database, "default_transaction_read_only", "on"),
  },
  {
    name: "standby-stalled",
    title: "synchronous standby stalled",
    stage: plain,
    apply: stallStandby,
  },
  { name: "disk-full", title: "PostgreSQL's disk full", stage: { disk: true }, apply: fillDisk },
  {
    name: "primary-dead",
    title: "primary dead, then its standby promoted",
    stage: pair,
    spendsStage: true,
    apply: loseDeadPrimary,
  },
  {
    name: "primary-silent",
    title: "primary silent, then its standby promoted",
    stage: pair,
    spendsStage: true,
    apply: loseSilentPrimary,
  },
  { name: "pgbouncer-stopped", title: "behind PgBouncer: PostgreSQL stopped", stage: pooled, apply: stop },
  { name: "pgbouncer-frozen", title: "behind PgBouncer: PostgreSQL frozen", stage: pooled, apply: freeze },
];
