import { eventually } from "../eventually.ts";
import { openSql } from "../sql.ts";

/** Resolves once so many statements of a database wait for a row or a table that another one holds. */
export async function untilWaiting(databaseUrl: string, count = 1): Promise<void> {
  const sql = await openSql(databaseUrl);
  try {
    await eventually(async () => {
      const { rows } = await sql.query<{ count: number }>(
        "select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      );
      return rows[0]?.count === count;
    });
  } finally {
    await sql.end();
  }
}
