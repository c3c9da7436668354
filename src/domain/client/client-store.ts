import { type Database, isUniqueViolation } from "../../postgres/pool.ts";
import type { RecordChange } from "../audit/audit.ts";
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
const find = { name: "client.find", text: `select ${columns} from clients where id = $1` };
const list = { name: "client.list", text: `select ${columns} from clients order by id` };
const insert = {
  name: "client.insert",
  text: `insert into clients (id, name, secret_hash, first_party, grants, scopes, audience, can_introspect,
      access_token_ttl_seconds, refresh_grace_ms)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning ${columns}`,
};
const setSecret = {
  name: "client.set-secret",
  text: `update clients set secret_hash = $2 where id = $1 and secret_hash is not null returning id`,
};
const remove = { name: "client.delete", text: "delete from clients where id = $1 returning id" };
const endSessions = {
  name: "client.end-sessions",
  text: `update sessions set ended_at = now() where handle_hash = any(array(
      select handle_hash from sessions where client_id = $1 and ended_at is null limit $2
    )) returning 1`,
};
const endBatch = 1000;

/** The registered clients in Postgres. What changes one takes what writes its event down, in the same transaction. */
export interface ClientStore {
  find(id: string): Promise<StoredClient | null>;
  list(): Promise<Client[]>;
  /** @throws AppError already_exists */
  insert(client: NewClient, secretHash: Buffer | null, record: RecordChange<void>): Promise<Client>;
  /** Replaces a secret; false where there is no such client, or it is public. */
  setSecret(id: string, hash: Buffer, record: RecordChange<void>): Promise<boolean>;
  /**
   * Deletes a client and ends the sessions that it began; false where there is neither. Where it was cut off,
   * it may be run again.
   */
  delete(id: string, record: RecordChange<void>): Promise<boolean>;
}

/** @param db the pool */
export function createClientStore(db: Pick<Database, "query" | "transaction">): ClientStore {
  return {
    async find(id) {
      const [row] = await db.query<ClientRow>(find, [id]);
      return row === undefined ? null : { client: toClient(row), secretHash: row.secretHash };
    },
    list: async () => (await db.query<ClientRow>(list, [])).map(toClient),
    async insert(client, secretHash, record) {
      try {
        return await db.transaction(async (tx) => {
          const [row] = await tx.query<ClientRow>(insert, insertValues(client, secretHash));
          if (row === undefined) throw new Error("the insert returned no row");
          await record(undefined, tx);
          return toClient(row);
        });
      } catch (error) {
        if (!isUniqueViolation(error, "clients_pkey")) throw error;
        throw new AppError("already_exists", "A client with this id exists already.");
      }
    },
    setSecret: (id, hash, record) =>
      db.transaction(async (tx) => {
        const changed = await tx.query(setSecret, [id, hash]);
        if (changed.length > 0) await record(undefined, tx);
        return changed.length > 0;
      }),
    async delete(id, record) {
      // First, and on its own: it waits for the logins that hold the row, and none begins a session after it.
      const removed = await db.transaction(async (tx) => {
        const rows = await tx.query(remove, [id]);
        if (rows.length > 0) await record(undefined, tx);
        return rows.length;
      });
      let ended = 0;
      for (;;) {
        const batch = await db.query(endSessions, [id, endBatch]);
        if (batch.length === 0) return removed + ended > 0;
        ended += batch.length;
      }
    },
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
