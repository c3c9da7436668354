import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config/config.ts";
import { AppError } from "../errors/app-error.ts";
import { failureClass } from "../ops/failure-class.ts";
import { failureClasses } from "../ops/failure-classes.ts";
import type { Log } from "../ops/logger.ts";
import { type ConnectionTarget, parseDatabaseUrl } from "../postgres/connection-string.ts";
import { findRunningPostgres } from "../postgres/embedded/find-running-postgres.ts";
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from "../postgres/embedded/start-embedded-postgres.ts";
import { migrate, pendingMigrations } from "../postgres/migrate.ts";
import { readMigrations } from "../postgres/migration-files.ts";
import { createPool, type Database, type DatabaseObserver } from "../postgres/pool.ts";
import { findShortfalls } from "./postgres-preconditions.ts";

/** The database, whoever runs it. */
export interface Stores {
  readonly db: Database;
  /** Where it is, with the password: not for logs. */
  readonly target: ConnectionTarget;
  /** Null where the database is not ours to run. */
  readonly embedded: EmbeddedPostgres | null;
  /** The names of the migrations that were applied now. */
  readonly migrated: readonly string[];
  close(): Promise<void>;
}

/** How the database is opened. */
export interface OpenStoresOptions {
  /**
   * Where a service is running on the same DATA_DIR, its embedded database is used (for commands);
   * otherwise the folder must be free.
   */
  readonly joinRunning: boolean;
  /** Whether the schema is brought up to date, as by default; one that is not is refused otherwise. */
  readonly migrate?: boolean;
  /** How long to wait for a database that cannot be reached yet. Default 60,000; 0 tries once. */
  readonly waitMs?: number;
  /** Nobody by default. */
  readonly observer?: DatabaseObserver;
  /** Ends the wait for a database that cannot be reached yet. */
  readonly signal?: AbortSignal;
  /** Called as soon as there is a pool, before it is known whether the database answers. */
  onOpened?(db: Database): void;
}

/** Where the migrations are. */
export const migrationsFolder: string = join(import.meta.dirname, "..", "postgres", "migrations");

const migrationLockTimeoutMs = 120_000;
const defaultWaitMs = 60_000;
const retryMs = 500;

/**
 * Opens the database of the configuration, starts the embedded one where none is named, and brings the
 * schema up to date.
 *
 * @throws Error with a sentence for the operator
 */
export async function openStores(config: Config, log: Log, options: OpenStoresOptions): Promise<Stores> {
  const { target, embedded } = await findDatabase(config, log, options.joinRunning);
  const db = openPool(config, log, target, options.observer);
  const close = async (): Promise<void> => {
    try {
      await db.end();
    } finally {
      await embedded?.stop();
    }
  };
  try {
    options.onOpened?.(db);
    await waitForDatabase(db, log, options.waitMs ?? defaultWaitMs, options.signal);
    const pending = await pendingMigrations(db, migrationsFolder);
    if (options.migrate === false) await requireUpToDate(pending);
    await requirePreconditions(db, log, pending);
    const lockTimeoutMs = migrationLockTimeoutMs;
    const { applied } = await migrate(db, { folder: migrationsFolder, lockTimeoutMs, log });
    return { db, target, embedded, migrated: applied, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Opens a database that another process of this instance has opened, and brought up to date.
 *
 * @throws Error with a sentence for the operator
 */
export async function joinStores(
  config: Config,
  log: Log,
  target: ConnectionTarget,
  options: Required<Pick<OpenStoresOptions, "observer" | "onOpened">>,
): Promise<Database> {
  const db = openPool(config, log, target, options.observer);
  try {
    options.onOpened(db);
    await waitForDatabase(db, log, defaultWaitMs, undefined);
    return db;
  } catch (error) {
    await db.end();
    throw error;
  }
}

function openPool(
  config: Config,
  log: Log,
  target: ConnectionTarget,
  observer: DatabaseObserver | undefined,
): Database {
  const { poolMax, timeoutMs, prepare } = config.database;
  return createPool({
    target,
    max: poolMax,
    statementTimeoutMs: timeoutMs,
    connectTimeoutMs: timeoutMs,
    prepare,
    log,
    ...(observer === undefined ? {} : { observer }),
  });
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

/** A database that starts beside the service may come up after it. What is in the way is told once. */
async function waitForDatabase(
  db: Database,
  log: Log,
  waitMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const giveUpAt = performance.now() + waitMs;
  let told: string | null = null;
  for (;;) {
    try {
      await db.ping(signal);
      return;
    } catch (error) {
      signal?.throwIfAborted();
      const failure = failureClass(error);
      if (!(error instanceof AppError) || performance.now() >= giveUpAt) {
        throw new Error(`The database cannot be reached: ${failure}.`, { cause: error });
      }
      if (failure !== told) {
        const advice = failureClasses[failure];
        log.warn({ failure, advice }, "the database cannot be reached yet; trying again");
      }
      told = failure;
    }
    await sleep(retryMs, undefined, { signal });
  }
}

/** Tables are not made in a database that may be the wrong one. */
async function requireUpToDate(pending: readonly string[]): Promise<void> {
  if (pending.length === 0) return;
  const files = await readMigrations(migrationsFolder);
  if (pending.length === files.length) {
    throw new Error(
      "This database holds no tables of Countersign. If it is the right one, the first start of the service makes them, or `countersign migrate`.",
    );
  }
  throw new Error(
    `This database lacks ${pending.join(", ")}, which this version needs: \`countersign migrate\` adds what is missing, and so does a start of the service.`,
  );
}

/** What the doctor finds fault with ends a start, too, and with the same words. */
async function requirePreconditions(db: Database, log: Log, pending: readonly string[]): Promise<void> {
  const shortfalls = await findShortfalls(db, pending);
  for (const { weight, subject, found, mend } of shortfalls) {
    if (weight === "advised") log.warn({ subject, mend }, `the database: ${found}`);
  }
  const required = shortfalls.filter(({ weight }) => weight === "required");
  if (required.length === 0) return;
  const lines = required.map(({ found, mend }) => `  - ${found}\n    -> ${mend}`);
  throw new Error(["The database is not what the service needs:", ...lines].join("\n"));
}
