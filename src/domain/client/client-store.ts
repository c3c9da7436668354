import type { LookUps } from "../../postgres/pool.ts";
import type { Client, GrantType } from "./client.ts";

/** A registered client with the hash of its secret. */
export interface StoredClient {
  readonly client: Client;
  /** Null for a public client. */
  readonly secretHash: Buffer | null;
}

/** A client's public columns as `clientColumns` selects them. */
export interface ClientRow {
  readonly id: string;
  readonly name: string;
  readonly secretHash: Buffer | null;
  readonly firstParty: boolean;
  readonly grants: GrantType[];
  readonly scopes: string[];
  readonly audiences: string[];
  readonly canIntrospect: boolean;
  readonly accessTokenTtlSeconds: number | null;
  readonly refreshGraceMs: number | null;
  readonly createdAt: Date;
}

/** The columns of a `ClientRow`. */
export const clientColumns = `id, name, secret_hash as "secretHash", first_party as "firstParty", grants, scopes,
  coalesce(audiences, array_remove(array[audience], null)) as audiences,
  can_introspect as "canIntrospect", access_token_ttl_seconds as "accessTokenTtlSeconds",
  refresh_grace_ms as "refreshGraceMs", created_at as "createdAt"`;

const find = {
  name: "client.find",
  text: `select id as key, ${clientColumns}, extract(epoch from created_at)::text as registration
    from clients where id = any($1::text[])`,
};

/** The registered clients in Postgres, as requests need them. */
export interface ClientStore {
  find(id: string): Promise<StoredClient | null>;
}

/** @param db the pool */
export function createClientStore(db: LookUps): ClientStore {
  return {
    async find(id) {
      const row = await db.lookUp<ClientRow & { readonly key: string; readonly registration: string }>(
        find,
        id,
      );
      if (row === null) return null;
      const { key: _, secretHash, ...client } = row;
      return { client: { ...client, confidential: secretHash !== null }, secretHash };
    },
  };
}
