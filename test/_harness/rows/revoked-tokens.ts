import type { Sql } from "../sql.ts";

/** The access tokens that have been revoked, by their ids. */
export async function readRevokedTokens(
  sql: Sql,
): Promise<{ readonly jti: string /** Seconds since the epoch. */; readonly exp: number }[]> {
  const { rows } = await sql.query<{ jti: string; exp: number }>(
    "select jti, extract(epoch from expires_at)::int as exp from revoked_access_tokens",
  );
  return rows;
}
