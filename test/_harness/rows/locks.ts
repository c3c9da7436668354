import { eventually } from "../eventually.ts";
import { openSql } from "../sql.ts";

/** Resolves once at least so many statements of a database wait for a row or a table that another one holds. */
export async function untilWaiting(databaseUrl: string, count = 1): Promise<void> {
  const sql = await openSql(databaseUrl);
  try {
    await eventually(async () => {
      const { rows } = await sql.query<{ count: number }>(
        "select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      );
      return (rows[0]?.count ?? 0) >= count;
      // A command that is to wait is a process that has to start first.
    }, 60_000);
  } finally {
    await sql.end();
  }
}

/** Holds a table, so that statements which need it wait, until what is returned is called. */
export async function holdTable(
  databaseUrl: string,
  table: "users" | "clients" | "instances" | "audit_events",
  mode: "share" | "exclusive" | "access exclusive" = "access exclusive",
): Promise<() => Promise<void>> {
  const sql = await openSql(databaseUrl);
  await sql.query(`begin; lock table ${table} in ${mode} mode`);
  return () => sql.end();
}

/** Signs a user in, as far as the user's row knows, and holds the row until what is returned is called. */
export async function holdUser(databaseUrl: string, id: string): Promise<() => Promise<void>> {
  const sql = await openSql(databaseUrl);
  await sql.query("begin");
  await sql.query("update users set last_login_at = now() where id = $1", [id]);
  return async () => {
    await sql.query("commit");
    await sql.end();
  };
}
