import { isUniqueViolation, type LookUps, type Queryable } from "../../postgres/pool.ts";
import { AppError } from "../../errors/app-error.ts";
import type { Client, GrantType } from "./client.ts";

/** A registered client with the hash of its secret. */
export interface StoredClient {
  readonly client: Client;
  /** Null for a public client. */
  readonly secretHash: Buffer | null;
}

/** A client that is registered now. */
export type NewClient = Omit<Client, "createdAt" | "registration">;

interface ClientRow {
  readonly id: string;
  readonly name: string;
  readonly secretHash: Buffer | null;
  readonly firstParty: boolean;
  readonly grants: GrantType[];
  readonly scopes: string[];
  readonly audience: string | null;
  readonly canIntrospect: boolean;
  readonly accessTokenTtlSeconds: number | null;
  readonly refreshGraceMs: number | null;
  readonly createdAt: Date;
  readonly registration: string;
}

const columns = `id, name, secret_hash as "secretHash", first_party as "firstParty", grants, scopes, audience,
  can_introspect as "canIntrospect", access_token_ttl_seconds as "accessTokenTtlSeconds",
  refresh_grace_ms as "refreshGraceMs", created_at as "createdAt",
  extract(epoch from created_at)::text as registration`;
const find = {
  name: "client.find",
  text: `select id as key, ${columns} from clients where id = any($1::text[])`,
};
const list = { name: "client.list", text: `select ${columns} from clients order by id` };
const insert = {
  name: "client.insert",
  text: `insert into clients (id, name, secret_hash, first_party, grants, scopes, audience, can_introspect,
      access_token_ttl_seconds, refresh_grace_ms)
    select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 where not exists (select from users where users.id = $1)
    returning ${columns}`,
};
const setSecret = {
  name: "client.set-secret",
  text: `update clients set secret_hash = $2 where id = $1 and secret_hash is not null returning id`,
};
const remove = { name: "client.delete", text: "delete from clients where id = $1 returning id" };

/** The registered clients in Postgres. What changes one takes the transaction of its use case first. */
export interface ClientStore {
  find(id: string): Promise<StoredClient | null>;
  list(): Promise<Client[]>;
  /** @throws AppError already_exists */
  insert(tx: Queryable, client: NewClient, secretHash: Buffer | null): Promise<Client>;
  /** Replaces a secret; false where there is no such client, or it is public. */
  setSecret(tx: Queryable, id: string, hash: Buffer): Promise<boolean>;
  /** Deletes a client, and waits for the logins that hold its row; false where there is none. */
  delete(tx: Queryable, id: string): Promise<boolean>;
}

/** @param db the pool, for what is asked outside of a transaction */
export function createClientStore(db: Queryable & LookUps): ClientStore {
  return {
    async find(id) {
      const row = await db.lookUp<ClientRow & { readonly key: string }>(find, id);
      if (row === null) return null;
      const { key: _, ...found } = row;
      return { client: toClient(found), secretHash: found.secretHash };
    },
    list: async () => (await db.query<ClientRow>(list, [])).map(toClient),
    async insert(tx, client, secretHash) {
      try {
        const [row] = await tx.query<ClientRow>(insert, insertValues(client, secretHash));
        // A subject that is a user's as well would pass for the user (RFC 9068 section 5).
        if (row === undefined) throw new AppError("already_exists", "A user has this id.");
        return toClient(row);
      } catch (error) {
        if (!isUniqueViolation(error, "clients_pkey")) throw error;
        throw new AppError("already_exists", "A client with this id exists already.");
      }
    },
    setSecret: async (tx, id, hash) => (await tx.query(setSecret, [id, hash])).length > 0,
    delete: async (tx, id) => (await tx.query(remove, [id])).length > 0,
  };
}

function insertValues(client: NewClient, secretHash: Buffer | null): unknown[] {
  return [
    client.id,
    client.name,
    secretHash,
    client.firstParty,
    client.grants,
    client.scopes,
    client.audience,
    client.canIntrospect,
    client.accessTokenTtlSeconds,
    client.refreshGraceMs,
  ];
}

function toClient({ secretHash, ...row }: ClientRow): Client {
  return { ...row, confidential: secretHash !== null };
}
