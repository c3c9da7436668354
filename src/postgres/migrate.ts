import type { Database, Queryable, Statement, Transaction } from "./database.ts";
import type { PostgresLog } from "./log.ts";
import { type MigrationFile, readMigrations } from "./migration-files.ts";

/** What a migration is run with. */
export interface MigrateOptions {
  /** A folder of files `0001_name.sql`. */
  readonly folder: string;
  /** How long to wait for another instance that migrates. */
  readonly lockTimeoutMs: number;
  /** How long a statement of a migration may take. Default 600,000. */
  readonly statementTimeoutMs?: number;
  readonly log: PostgresLog;
}

interface AppliedMigration {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
}

/** Any number, the same in every version of this service: "csgn" in ASCII. */
const advisoryLock = "1668507502";

/**
 * How long a migration may wait for a table that others use. It is short, since all later users of the table
 * queue behind the waiting migration.
 */
const tableLockTimeoutMs = 5_000;

const statements = {
  lock: { name: "migrate_lock", text: `SELECT pg_advisory_xact_lock(${advisoryLock})` },
  find: { name: "migrate_find", text: "SELECT to_regclass('schema_migrations') IS NOT NULL AS found" },
  list: {
    name: "migrate_list",
    text: "SELECT version, name, checksum FROM schema_migrations ORDER BY version",
  },
  add: {
    name: "migrate_add",
    text: "INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)",
  },
  transactionId: { name: "migrate_txid", text: "SELECT pg_current_xact_id()::text AS id" },
} as const satisfies Record<string, Statement>;

const createTable = `CREATE TABLE IF NOT EXISTS schema_migrations (
  version int PRIMARY KEY,
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
)`;

/**
 * Brings the schema up to date. Each file is a transaction of its own, under one lock for all
 * instances. Instances that start together wait for one another, and then find the work done. The lock ends
 * with the transaction, so a killed instance leaves no lock behind.
 *
 * A database that is newer than the folder is left alone, with a warning: in a rolling deploy the older
 * code runs on the newer schema, which every migration must allow.
 *
 * @returns the names applied now, and the name of the newest migration in the database ("" for none)
 * @throws Error for an applied file that was changed or is missing, a gap, or a failing script;
 *   AppError `unavailable` if the lock or a table is not free in time
 */
export async function migrate(
  db: Database,
  options: MigrateOptions,
): Promise<{ applied: string[]; current: string }> {
  const files = await readMigrations(options.folder);
  const before = await listApplied(db);
  // With nothing to do, nothing is changed: a role without rights on the schema is enough.
  if (findPending(files, before).length === 0) {
    const current = before.at(-1) ?? null;
    warnIfNewer(current, files, options.log);
    return { applied: [], current: current?.name ?? "" };
  }
  const applied: string[] = [];
  for (;;) {
    const step = await applyNext(db, files, options);
    if (step.applied === null) {
      warnIfNewer(step.current, files, options.log);
      return { applied, current: step.current?.name ?? "" };
    }
    options.log.info({ migration: step.applied.name }, "a migration was applied");
    applied.push(step.applied.name);
  }
}

/**
 * The names of the migrations that the database still lacks. Changes nothing and takes no lock.
 *
 * @throws Error if `migrate` would refuse
 */
export async function pendingMigrations(db: Queryable, folder: string): Promise<string[]> {
  const files = await readMigrations(folder);
  return findPending(files, await listApplied(db)).map((file) => file.name);
}

async function listApplied(db: Queryable): Promise<AppliedMigration[]> {
  const [table] = await db.query<{ found: boolean }>(statements.find);
  return table?.found === true ? db.query<AppliedMigration>(statements.list) : [];
}

async function applyNext(
  db: Database,
  files: readonly MigrationFile[],
  { lockTimeoutMs, statementTimeoutMs = 600_000 }: MigrateOptions,
): Promise<{ applied: MigrationFile | null; current: AppliedMigration | null }> {
  const limits = { lockTimeoutMs, statementTimeoutMs: Math.max(statementTimeoutMs, lockTimeoutMs) };
  return db.transaction(async (transaction) => {
    await transaction.query(statements.lock);
    await transaction.execute(`SET LOCAL lock_timeout = ${tableLockTimeoutMs}`);
    await transaction.execute(createTable);
    const applied = await transaction.query<AppliedMigration>(statements.list);
    const [next] = findPending(files, applied);
    if (next === undefined) {
      return { applied: null, current: applied.at(-1) ?? null };
    }
    await applyFile(transaction, next);
    return { applied: next, current: next };
  }, limits);
}

async function applyFile(transaction: Transaction, file: MigrationFile): Promise<void> {
  const [before] = await transaction.query<{ id: string }>(statements.transactionId);
  await transaction.execute(file.script);
  const [after] = await transaction.query<{ id: string }>(statements.transactionId);
  if (before?.id !== after?.id) {
    throw new Error(
      `The migration ${file.name} ends its transaction; it must not contain COMMIT or ROLLBACK.`,
    );
  }
  await transaction.query(statements.add, [file.version, file.name, file.checksum]);
}

function findPending(files: readonly MigrationFile[], applied: readonly AppliedMigration[]): MigrationFile[] {
  applied.forEach(({ version }, index) => {
    if (version !== index + 1) {
      throw new Error(`The database lacks migration ${index + 1}, but has migration ${version}.`);
    }
  });
  for (const { version, name, checksum } of applied) {
    const file = files[version - 1];
    if (file !== undefined && (file.checksum !== checksum || file.name !== name)) {
      throw new Error(
        `The migration ${file.name} was changed after it was applied: restore it, and put the change into a new file.`,
      );
    }
  }
  return files.slice(applied.length);
}

function warnIfNewer(
  current: AppliedMigration | null,
  files: readonly MigrationFile[],
  log: PostgresLog,
): void {
  if (current !== null && current.version > files.length) {
    log.warn(
      { database: current.name, code: files.at(-1)?.name ?? "" },
      "the database is newer than this code; it is used as it is",
    );
  }
}
