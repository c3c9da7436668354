import { pendingMigrations } from "../../postgres/migrate.ts";
import { readMigrations } from "../../postgres/migration-files.ts";
import type { Queryable } from "../../postgres/pool.ts";
import { migrationsFolder } from "../../start/open-stores.ts";
import { fail, type Finding, ok, warn } from "./finding.ts";

const name = "schema";
const newest = {
  name: "doctor.newest-migration",
  text: "select version, name from schema_migrations order by version desc limit 1",
};

/** Whether the schema is that of this code, and could be brought up to it. */
export async function inspectMigrations(db: Queryable, mayCreate: boolean): Promise<Finding[]> {
  let pending: string[];
  try {
    pending = await pendingMigrations(db, migrationsFolder);
  } catch (error) {
    // pendingMigrations says by a plain Error of ours what does not fit; a driver's error has a code.
    if (!Error.isError(error) || "code" in error || error.name !== "Error") throw error;
    const mend = "restore the migration, or run the version of this service that made the schema";
    return [fail(name, error.message.replace(/\.$/, ""), mend)];
  }
  if (pending.length > 0) return [describePending(pending, mayCreate)];
  return [await describeCurrent(db, mayCreate)];
}

function describePending(pending: readonly string[], mayCreate: boolean): Finding {
  const count = `${pending.length} ${pending.length === 1 ? "migration is" : "migrations are"} pending`;
  if (mayCreate) return ok(name, `${count}: the next start applies ${pending.length === 1 ? "it" : "them"}`);
  const mend =
    "GRANT CREATE ON SCHEMA public to the role of DATABASE_URL, or run `migrate` with one that has it";
  return fail(name, `${count}, and the role may not create tables`, mend);
}

async function describeCurrent(db: Queryable, mayCreate: boolean): Promise<Finding> {
  const [row] = await db.query<{ version: number; name: string }>(newest);
  const { length } = await readMigrations(migrationsFolder);
  if (row !== undefined && row.version > length) {
    const mend = "in a rolling deploy that passes; else run the newer version of this service";
    return warn(name, `the database is newer than this code: it has ${row.name}`, mend);
  }
  const found = `up to date, at ${row?.name ?? "its beginning"}`;
  return mayCreate
    ? ok(name, found)
    : warn(name, `${found}; the role may not create tables`, "grant it before an upgrade");
}
