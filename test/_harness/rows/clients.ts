import type { Sql } from "../sql.ts";
import { changeRow } from "./change.ts";

/** A client's row to be. */
export interface NewClientRow {
  readonly id: string;
  /** SHA-256; null for a public client. */
  readonly secretHash: Buffer | null;
  readonly firstParty: boolean;
  readonly grants: readonly string[];
  readonly scopes: readonly string[];
  /** As an earlier version registers it. */
  readonly audience: string | null;
  readonly audiences: readonly string[] | null;
  readonly canIntrospect: boolean;
  readonly accessTokenTtlSeconds: number | null;
  readonly refreshGraceMs: number | null;
}

/** Registers a client past the command line, whose every command is a process. */
export async function insertClient(sql: Sql, row: NewClientRow): Promise<void> {
  await sql.query(
    `insert into clients (id, name, secret_hash, first_party, grants, scopes, audience, can_introspect,
       access_token_ttl_seconds, refresh_grace_ms, audiences) values ($1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      row.id,
      row.secretHash,
      row.firstParty,
      row.grants,
      row.scopes,
      row.audience,
      row.canIntrospect,
      row.accessTokenTtlSeconds,
      row.refreshGraceMs,
      row.audiences,
    ],
  );
}

/** Leaves a client these grants. */
export function setGrants(sql: Sql, id: string, grants: readonly string[]): Promise<void> {
  return changeRow(sql, "clients", ["id", id], { grants });
}

/** Deletes a client past the service, which is told nothing. */
export async function deleteClient(sql: Sql, id: string): Promise<void> {
  await sql.query("delete from clients where id = $1", [id]);
}

/** Everything that the table holds, as text. */
export async function readClientsAsText(sql: Sql): Promise<string> {
  const { rows } = await sql.query<{ row: string }>("select c::text as row from clients c");
  return rows.map(({ row }) => row).join("\n");
}

/** Leaves a client these scopes. */
export function setScopes(sql: Sql, id: string, scopes: readonly string[]): Promise<void> {
  return changeRow(sql, "clients", ["id", id], { scopes });
}
