import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { ConnectionTarget } from "../connection-string.ts";
import type { PostgresLog } from "../log.ts";
import { adoptCluster } from "./adopt-cluster.ts";
import { type FolderLock, lockFolder } from "./folder-lock.ts";
import { type Home, prepareDataDir, requireOwnFolder, resolveHome } from "./home.ts";
import { ensureCluster } from "./init-cluster.ts";
import { stopLeftover } from "./leftover.ts";
import { findPrograms } from "./programs.ts";
import { socketPort, socketTarget } from "./socket-target.ts";
import { type ServerProcess, startServer } from "./server-process.ts";
import { makeSocketFolder, removeSocketFolder } from "./socket-folder.ts";

/** What the embedded PostgreSQL is started with. */
export interface EmbeddedPostgresOptions {
  /** Made if it is missing; relative to the working directory. Holds the data, the lock and postgres.log. */
  readonly dataDir: string;
  readonly log: PostgresLog;
  /** The value of PATH, for a PostgreSQL of the system if the npm package is missing. */
  readonly searchPath?: string;
  /** How long a start may take, recovery after a crash included. Default 60,000. */
  readonly startTimeoutMs?: number;
}

/** An embedded PostgreSQL, which serves only this process. */
export interface EmbeddedPostgres {
  /** Where to connect, with the password: not for logs. */
  readonly connection: ConnectionTarget;
  /** The server's version, "18.4" for example. */
  readonly version: string;
  /** Where the data lies; usually below DATA_DIR (see resolveHome). */
  readonly folder: string;
  /** The server's process id. */
  readonly pid: number;
  /** Settles when the server has ended; `expected` is whether `stop` was called. It is not restarted. */
  readonly ended: Promise<{ expected: boolean }>;
  /** Stops the server, then unlocks the folder. May be called twice. */
  stop(): Promise<void>;
}

/**
 * Settings of a small server beside the service. Durable: fsync and synchronous_commit stay on.
 * Only a Unix socket. Its log holds no statement, no value and no error text of a statement, since those
 * can contain what users typed (a DETAIL line quotes the duplicate key).
 */
const settings = {
  listen_addresses: "",
  port: String(socketPort),
  unix_socket_permissions: "0700",
  max_connections: "50",
  shared_buffers: "64MB",
  max_wal_size: "256MB",
  fsync: "on",
  full_page_writes: "on",
  synchronous_commit: "on",
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
  log_destination: "stderr",
  logging_collector: "off",
  log_line_prefix: "%m [%p] ",
  log_checkpoints: "off",
  log_statement: "none",
  log_min_duration_statement: "-1",
  log_min_messages: "log",
  log_min_error_statement: "panic",
  log_error_verbosity: "terse",
  log_parameter_max_length: "0",
  log_parameter_max_length_on_error: "0",
} as const;

/**
 * Starts a PostgreSQL under DATA_DIR, made on the first start and kept between starts.
 *
 * @throws Error that says what to do: the folder is in use (with the process that holds it), no
 *   PostgreSQL runs here, or it did not start (with the end of its log)
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = await prepareDataDir(options.dataDir);
  await requireOwnFolder(dataDir);
  const locks: FolderLock[] = [await lockFolder(dataDir)];
  try {
    const home = await resolveHome(dataDir, options.log);
    // A copied DATA_DIR can point to the same home as its original.
    locks.push(await lockFolder(home.folder));
    return await startIn(home, dataDir, locks, options);
  } catch (error) {
    releaseAll(locks);
    throw error;
  }
}

async function startIn(
  home: Home,
  dataDir: string,
  locks: readonly FolderLock[],
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const clusterName = await nameCluster(home);
  await stopLeftover(home.dataFolder, clusterName, options.log);
  await adoptCluster(home, options.log);
  const programs = await findPrograms(home, options.searchPath);
  const password = await ensureCluster(home, programs);
  const socketFolder = await makeSocketFolder(home);
  const server = await startServer({
    programs,
    identity: home.identity,
    dataFolder: home.dataFolder,
    settings: { ...settings, unix_socket_directories: socketFolder, cluster_name: clusterName },
    logFile: join(dataDir, "postgres.log"),
    startTimeoutMs: options.startTimeoutMs ?? 60_000,
  }).catch(async (error: unknown) => {
    await removeSocketFolder(home);
    throw error;
  });
  options.log.info({ version: programs.version, folder: home.folder }, "the embedded PostgreSQL is running");
  void server.ended.then(({ expected }) => {
    if (!expected) {
      options.log.error({ folder: home.folder }, "the embedded PostgreSQL ended unexpectedly");
    }
  });
  return {
    connection: socketTarget(socketFolder, password),
    version: programs.version,
    folder: home.folder,
    pid: server.pid,
    ended: server.ended,
    stop: createStop(server, home, locks),
  };
}

/** Identifies the folder by its inode, which stays when the folder is moved; a copy has another. */
async function nameCluster(home: Home): Promise<string> {
  const { dev, ino } = await stat(home.folder, { bigint: true });
  return `countersign-${dev.toString(16)}-${ino.toString(16)}-end`;
}

function createStop(server: ServerProcess, home: Home, locks: readonly FolderLock[]): () => Promise<void> {
  let stopping: Promise<void> | null = null;
  const stop = async () => {
    await server.stop();
    await removeSocketFolder(home);
    releaseAll(locks);
  };
  return () => {
    stopping ??= stop();
    return stopping;
  };
}

function releaseAll(locks: readonly FolderLock[]): void {
  for (const lock of locks) {
    lock.release();
  }
}
