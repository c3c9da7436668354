import { chown, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requireSuccess } from "../../src/postgres/embedded/init-cluster.ts";
import { runProgram } from "../../src/postgres/embedded/run-program.ts";
import { startServer } from "../../src/postgres/embedded/server-process.ts";
import { freePort } from "../../test/_harness/ports.ts";
import type { TestCluster } from "../../test/_harness/postgres.ts";
import { openSql } from "../../test/_harness/sql.ts";

/** A PostgreSQL that streams from a primary. */
export interface Standby {
  readonly port: number;
  readonly pid: number;
  /** Makes it a primary. */
  promote(): Promise<void>;
  stop(): Promise<void>;
}

const programs = "/usr/lib/postgresql/15/bin";

/** Copies a running primary of Debian's PostgreSQL 15 and follows it. */
export async function startStandby(primary: TestCluster): Promise<Standby> {
  const sql = await openSql(primary.url);
  const { rows } = await sql.query<{ data_directory: string }>("show data_directory");
  await sql.end();
  const { uid, gid } = await stat(rows[0]?.data_directory ?? "");
  const identity = { uid, gid, switchTo: process.geteuid?.() === 0 ? { uid, gid } : ({} as const) };
  const folder = await mkdtemp(join(tmpdir(), "countersign-faults-standby-"));
  await chown(folder, uid, gid);
  const dataFolder = join(folder, "data");
  const source = primary.url.replace("?sslmode=disable", "?application_name=standby");
  const copy = ["-d", source, "-D", dataFolder, "-X", "stream", "-R", "-c", "fast", "--no-sync"];
  requireSuccess("pg_basebackup", await runProgram(join(programs, "pg_basebackup"), copy, identity));
  const port = await freePort();
  const server = await startServer({
    programs: { postgres: join(programs, "postgres"), initdb: "", version: "15", major: 15 },
    identity,
    dataFolder,
    settings: { listen_addresses: "127.0.0.1", port: String(port), unix_socket_directories: "" },
    logFile: join(folder, "postgres.log"),
    startTimeoutMs: 60_000,
  });
  const url = new URL(primary.url);
  url.port = String(port);
  return {
    port,
    pid: server.pid,
    async promote() {
      const admin = await openSql(url.href);
      await admin.query("select pg_promote()");
      await admin.end();
    },
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
