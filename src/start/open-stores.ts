import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config/config.ts";
import { AppError } from "../domain/errors.ts";
import type { Log } from "../ops/logger.ts";
import { type ConnectionTarget, parseDatabaseUrl } from "../postgres/connection-string.ts";
import { findRunningPostgres } from "../postgres/embedded/find-running-postgres.ts";
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from "../postgres/embedded/start-embedded-postgres.ts";
import { migrate } from "../postgres/migrate.ts";
import { createPool, type Database } from "../postgres/pool.ts";

/** The database, whoever runs it. */
export interface Stores {
  readonly db: Database;
  /** Null where the database is not ours to run. */
  readonly embedded: EmbeddedPostgres | null;
  close(): Promise<void>;
}

/** Where the migrations are. */
export const migrationsFolder: string = join(import.meta.dirname, "..", "postgres", "migrations");

const migrationLockTimeoutMs = 120_000;
const firstConnectionMs = 60_000;
const retryMs = 500;

/**
 * Opens the database of the configuration, starts the embedded one where none is named, and brings the
 * schema up to date.
 *
 * @param options `joinRunning`: where a service is running on the same DATA_DIR, its embedded database is
 *   used (for commands); otherwise the folder must be free
 */
export async function openStores(
  config: Config,
  log: Log,
  options: { readonly joinRunning: boolean },
): Promise<Stores> {
  const { target, embedded } = await findDatabase(config, log, options.joinRunning);
  const { poolMax, timeoutMs } = config.database;
  const db = createPool({
    target,
    max: poolMax,
    statementTimeoutMs: timeoutMs,
    connectTimeoutMs: timeoutMs,
    log,
  });
  const close = async (): Promise<void> => {
    await db.end();
    await embedded?.stop();
  };
  try {
    await waitForDatabase(db, log);
    await migrate(db, { folder: migrationsFolder, lockTimeoutMs: migrationLockTimeoutMs, log });
  } catch (error) {
    await close();
    throw error;
  }
  return { db, embedded, close };
}

async function findDatabase(
  config: Config,
  log: Log,
  joinRunning: boolean,
): Promise<{ target: ConnectionTarget; embedded: EmbeddedPostgres | null }> {
  if (config.database.url !== null) return { target: parseDatabaseUrl(config.database.url), embedded: null };
  const running = joinRunning ? await findRunningPostgres(config.dataDir) : null;
  if (running !== null) return { target: running, embedded: null };
  const embedded = await startEmbeddedPostgres({
    dataDir: config.dataDir,
    log,
    searchPath: config.searchPath,
  });
  return { target: embedded.connection, embedded };
}

/** A database that starts beside the service may come up after it. */
async function waitForDatabase(db: Database, log: Log): Promise<void> {
  const giveUpAt = performance.now() + firstConnectionMs;
  for (;;) {
    try {
      return await db.ping();
    } catch (error) {
      if (!(error instanceof AppError) || performance.now() > giveUpAt) throw error;
      log.warn({ err: error }, "the database cannot be reached yet; trying again");
    }
    await sleep(retryMs);
  }
}
