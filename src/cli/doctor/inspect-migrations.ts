import { pendingMigrations } from "../../postgres/migrate.ts";
import { readMigrations } from "../../postgres/migration-files.ts";
import type { Queryable } from "../../postgres/pool.ts";
import { migrationsFolder } from "../../app/open-stores.ts";
import { findShortfalls, type Shortfall } from "../../app/postgres-preconditions.ts";
import { fail, type Finding, ok, warn } from "./finding.ts";

const name = "schema";
const newest = {
  name: "doctor.newest-migration",
  text: "select version, name from schema_migrations order by version desc limit 1",
};

/** Whether the schema is that of this code or can be migrated to it, and what else a start requires of the database. */
export async function inspectMigrations(db: Queryable): Promise<Finding[]> {
  let pending: string[];
  try {
    pending = await pendingMigrations(db, migrationsFolder);
  } catch (error) {
    // pendingMigrations throws a plain Error that says what does not fit; a driver's error has a code.
    if (!Error.isError(error) || "code" in error || error.name !== "Error") throw error;
    const mend = "restore the migration, or run the version of this service that made the schema";
    return [fail(name, error.message.replace(/\.$/, ""), mend)];
  }
  const shortfalls = (await findShortfalls(db, pending)).map(toFinding);
  if (shortfalls.some((finding) => finding.name === name)) return shortfalls;
  return [pending.length > 0 ? describePending(pending) : await describeCurrent(db), ...shortfalls];
}

function toFinding({ weight, subject, found, mend }: Shortfall): Finding {
  return weight === "required" ? fail(subject, found, mend) : warn(subject, found, mend);
}

function describePending(pending: readonly string[]): Finding {
  const count = `${pending.length} ${pending.length === 1 ? "migration is" : "migrations are"} pending`;
  return ok(name, `${count}: the next start applies ${pending.length === 1 ? "it" : "them"}`);
}

async function describeCurrent(db: Queryable): Promise<Finding> {
  const [row] = await db.query<{ version: number; name: string }>(newest);
  const { length } = await readMigrations(migrationsFolder);
  if (row !== undefined && row.version > length) {
    const mend = "during a rolling deploy this is normal; otherwise run the newer version of this service";
    return warn(name, `the database is newer than this code: it has ${row.name}`, mend);
  }
  return ok(name, `up to date, at ${row?.name ?? "the empty schema"}`);
}
