import type { Sql } from "../sql.ts";

/**
 * Sets columns of one row, past the service.
 *
 * @param by the column that names the row
 * @throws Error where there is no such row
 */
export async function changeRow(
  sql: Sql,
  table: "users" | "clients" | "roles",
  by: readonly [column: string, value: string],
  columns: Readonly<Record<string, unknown>>,
): Promise<void> {
  const set = Object.keys(columns).map((column, index) => `${column} = $${index + 2}`);
  const { rowCount } = await sql.query(`update ${table} set ${set.join(", ")} where ${by[0]} = $1`, [
    by[1],
    ...Object.values(columns),
  ]);
  if (rowCount !== 1) throw new Error(`There is no row of ${table} whose ${by[0]} is ${by[1]}.`);
}
