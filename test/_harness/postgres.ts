import { randomBytes } from "node:crypto";
import { chmod, chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { giveAccount } from "../../src/postgres/embedded/accounts.ts";
import type { Home } from "../../src/postgres/embedded/home.ts";
import { findIdentity, isRoot } from "../../src/postgres/embedded/identity.ts";
import { initArgs, requireSuccess } from "../../src/postgres/embedded/init-cluster.ts";
import { stopLeftover } from "../../src/postgres/embedded/leftover.ts";
import type { Programs } from "../../src/postgres/embedded/programs.ts";
import { runProgram } from "../../src/postgres/embedded/run-program.ts";
import { type ServerProcess, startServer } from "../../src/postgres/embedded/server-process.ts";
import type { PostgresLog } from "../../src/postgres/log.ts";
import { freePort } from "./ports.ts";
import { findTestPrograms } from "./postgres-programs.ts";

/** How a test's cluster differs from the usual. */
export interface TestClusterOptions {
  /** Off by default, for speed; on for tests that kill the server and look at what is left. */
  readonly fsync?: boolean;
  /** Debian's PostgreSQL 15 with its own defaults, in place of the embedded one with settings of ours. */
  readonly stock?: boolean;
  /** More settings of the server. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A real PostgreSQL on a loopback port, for tests. */
export interface TestCluster {
  /** Signs in as the superuser, to the database `postgres`. All that createTestDatabase needs. */
  readonly url: string;
  readonly port: number;
  readonly version: string;
  /** The postmaster's. */
  readonly pid: () => number;
  /** Ends the server with SIGKILL, as a power loss would; its data stays for `start`. */
  kill9(): Promise<void>;
  /** Starts it again on the same port and data, after kill9 or pause. */
  start(): Promise<void>;
  /** Shuts the server down in order and keeps its data. */
  pause(): Promise<void>;
  /** Shuts it down and removes all of it. May be called twice. */
  stop(): Promise<void>;
}

/** An empty database of a test's own. */
export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

const silent: PostgresLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Starts a cluster in a temporary folder. One serves a whole run of tests: databases in it are cheap. */
export async function startTestCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const home = await makeHome();
  try {
    const programs = await findTestPrograms(home, options.stock === true);
    const password = randomBytes(16).toString("hex");
    await initialise(home, programs, password, options.fsync === true);
    const port = await freePort();
    return await runCluster(home, programs, port, password, options);
  } catch (error) {
    await rm(home.folder, { recursive: true, force: true });
    throw error;
  }
}

/** Makes an empty database. `cluster` may come from another process: its url is enough. */
export async function createTestDatabase(cluster: Pick<TestCluster, "url">): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString("hex")}`;
  await runAsAdmin(cluster.url, `CREATE DATABASE ${name}`);
  const url = new URL(cluster.url);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () => runAsAdmin(cluster.url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

async function makeHome(): Promise<Home> {
  const folder = await mkdtemp(join(tmpdir(), "countersign-test-postgres-"));
  const dataFolder = join(folder, "data");
  const identity = await findIdentity(dataFolder);
  if (isRoot()) {
    await chown(folder, identity.uid, identity.gid);
  }
  await chmod(folder, 0o700);
  return { folder, dataFolder, identity };
}

async function initialise(
  home: Home,
  programs: Programs,
  password: string,
  isSynced: boolean,
): Promise<void> {
  const passwordFile = join(home.folder, "password");
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (isRoot()) {
    await giveAccount(home.identity);
    await chown(passwordFile, home.identity.uid, home.identity.gid);
  }
  const args = [
    ...initArgs(home.dataFolder, programs.major, "scram-sha-256"),
    `--pwfile=${passwordFile}`,
    ...(isSynced ? [] : ["--no-sync"]),
  ];
  requireSuccess("initdb", await runProgram(programs.initdb, args, home.identity));
}

async function runCluster(
  home: Home,
  programs: Programs,
  port: number,
  password: string,
  options: TestClusterOptions,
): Promise<TestCluster> {
  const clusterName = `countersign-test-${randomBytes(8).toString("hex")}`;
  const launch = () =>
    startServer({
      programs,
      identity: home.identity,
      dataFolder: home.dataFolder,
      settings: { ...testSettings(port, options), cluster_name: clusterName },
      logFile: join(home.folder, "postgres.log"),
      startTimeoutMs: 60_000,
    });
  let server: ServerProcess = await launch();
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres?sslmode=disable`,
    port,
    version: programs.version,
    pid: () => server.pid,
    async kill9() {
      process.kill(server.pid, "SIGKILL");
      await server.ended;
      await stopLeftover(home.dataFolder, clusterName, silent);
    },
    async start() {
      server = await launch();
    },
    pause: () => server.stop(),
    async stop() {
      await server.stop();
      await rm(home.folder, { recursive: true, force: true });
    },
  };
}

function testSettings(
  port: number,
  { fsync = false, stock = false, settings = {} }: TestClusterOptions,
): Record<string, string> {
  const durable = fsync ? "on" : "off";
  const where = { listen_addresses: "127.0.0.1", port: String(port), unix_socket_directories: "" };
  if (stock) return { ...where, ...settings };
  return {
    ...where,
    max_connections: "200",
    shared_buffers: "64MB",
    timezone: "UTC",
    jit: "off",
    log_min_messages: "log",
    log_checkpoints: "off",
    fsync: durable,
    full_page_writes: durable,
    synchronous_commit: durable,
    ...settings,
  };
}

async function runAsAdmin(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url.replace("?sslmode=disable", ""), ssl: false });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
