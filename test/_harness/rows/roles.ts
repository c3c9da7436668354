import type { Sql } from "../sql.ts";
import { changeRow } from "./change.ts";

/** Adds a role of the operator's own, which permits nothing unless told otherwise. */
export async function insertRole(sql: Sql, name: string, permissions: readonly string[] = []): Promise<void> {
  await sql.query("insert into roles (name, description, permissions, scopes) values ($1, '', $2, '{}')", [
    name,
    permissions,
  ]);
}

/** Leaves a role these scopes. */
export function setRoleScopes(sql: Sql, name: string, scopes: readonly string[]): Promise<void> {
  return changeRow(sql, "roles", ["name", name], { scopes });
}

/** How many roles of the operator's own there are. */
export async function countRoles(sql: Sql): Promise<number> {
  const { rows } = await sql.query<{ count: number }>("select count(*)::int as count from roles");
  return rows[0]?.count ?? -1;
}
