import { AppError } from "../../errors/app-error.ts";
import { etagOf } from "../../lib/etag.ts";
import { isUniqueViolation, type Queryable } from "../../postgres/pool.ts";
import { clientColumns, type ClientRow } from "./client-store.ts";
import type { ClientContent, ClientDraft, ManagedClient } from "./managed-client.ts";

/** A client's columns as `managedClientColumns` selects them. */
export interface ManagedClientRow extends ClientRow {
  readonly redirectUris: string[];
  readonly postLogoutRedirectUris: string[];
}

/** The columns of a `ManagedClientRow`. */
export const managedClientColumns = `${clientColumns}, redirect_uris as "redirectUris",
  post_logout_redirect_uris as "postLogoutRedirectUris"`;

const findByIds = {
  name: "client.managed-by-ids",
  text: `select ${managedClientColumns} from clients where id = any ($1)`,
};
const lock = {
  name: "client.lock",
  text: `select ${managedClientColumns} from clients where id = $1 for no key update`,
};
// Earlier versions read audience.
const content = `name, first_party, grants, scopes, audiences, audience, can_introspect, access_token_ttl_seconds,
  refresh_grace_ms, redirect_uris, post_logout_redirect_uris`;
const insert = {
  name: "client.insert",
  text: `insert into clients (id, ${content}, secret_hash)
    select $1, $2, $3, $4, $5, $6, ($6::text[])[1], $7, $8, $9, $10, $11, $12
    where not exists (select from users where users.id = $1)
    returning ${managedClientColumns}`,
};
const update = {
  name: "client.update",
  text: `update clients set (${content}) = row ($2, $3, $4, $5, $6, ($6::text[])[1], $7, $8, $9, $10, $11)
    where id = $1 returning ${managedClientColumns}`,
};
const setSecret = {
  name: "client.set-secret",
  text: `update clients set secret_hash = $2 where id = $1 returning ${managedClientColumns}`,
};
const remove = { name: "client.delete", text: "delete from clients where id = $1" };

/** The clients in Postgres, for those who administer them. What belongs to a change takes its transaction first. */
export interface ManagedClientStore {
  /** Those of these ids that there are, in any order. */
  findByIds(ids: readonly string[], tx?: Queryable): Promise<ManagedClient[]>;
  /** A client, which nobody else changes until the transaction ends. Logins do not wait for it. */
  lock(tx: Queryable, id: string): Promise<ManagedClient | null>;
  /** @throws AppError already_exists */
  insert(tx: Queryable, client: ClientDraft, secretHash: Buffer | null): Promise<ManagedClient>;
  update(tx: Queryable, id: string, content: ClientContent): Promise<ManagedClient>;
  setSecret(tx: Queryable, id: string, hash: Buffer): Promise<ManagedClient>;
  /** Waits for the logins that hold the row. */
  delete(tx: Queryable, id: string): Promise<void>;
}

/** @param db the pool, for what is asked outside of a transaction */
export function createManagedClientStore(db: Queryable): ManagedClientStore {
  const changed = async (rows: Promise<ManagedClientRow[]>): Promise<ManagedClient> => {
    const [row] = await rows;
    if (row === undefined) throw new Error("the client was locked, and is not there");
    return managedClientFromRow(row);
  };
  return {
    findByIds: async (ids, tx = db) =>
      (await tx.query<ManagedClientRow>(findByIds, [ids])).map(managedClientFromRow),
    async lock(tx, id) {
      const [row] = await tx.query<ManagedClientRow>(lock, [id]);
      return row === undefined ? null : managedClientFromRow(row);
    },
    async insert(tx, client, secretHash) {
      try {
        const values = [client.id, ...contentValues(client), secretHash];
        const [row] = await tx.query<ManagedClientRow>(insert, values);
        // A subject that is a user's as well would pass for the user (RFC 9068 section 5).
        if (row === undefined) throw new AppError("already_exists", "A user has this id.");
        return managedClientFromRow(row);
      } catch (error) {
        if (!isUniqueViolation(error, "clients_pkey")) throw error;
        throw new AppError("already_exists", "A client with this id exists already.");
      }
    },
    update: (tx, id, client) => changed(tx.query<ManagedClientRow>(update, [id, ...contentValues(client)])),
    setSecret: (tx, id, hash) => changed(tx.query<ManagedClientRow>(setSecret, [id, hash])),
    async delete(tx, id) {
      await tx.query(remove, [id]);
    },
  };
}

function contentValues(client: ClientContent): unknown[] {
  return [
    client.name,
    client.firstParty,
    client.grants,
    client.scopes,
    client.audiences,
    client.canIntrospect,
    client.accessTokenTtlSeconds,
    client.refreshGraceMs,
    client.redirectUris,
    client.postLogoutRedirectUris,
  ];
}

/** A client as `managedClientColumns` selects it. */
export function managedClientFromRow({ secretHash, ...row }: ManagedClientRow): ManagedClient {
  const { id, name, firstParty, grants, scopes, audiences, canIntrospect, createdAt } = row;
  const { accessTokenTtlSeconds, refreshGraceMs, redirectUris, postLogoutRedirectUris } = row;
  const of = [id, name, firstParty, grants, scopes, audiences, canIntrospect, createdAt];
  const more = [accessTokenTtlSeconds, refreshGraceMs, redirectUris, postLogoutRedirectUris];
  const etag = etagOf([...of, ...more, secretHash?.toString("hex") ?? null]);
  return {
    id,
    name,
    confidential: secretHash !== null,
    firstParty,
    grants,
    scopes,
    audiences,
    redirectUris,
    postLogoutRedirectUris,
    canIntrospect,
    accessTokenTtlSeconds,
    refreshGraceMs,
    createdAt,
    etag,
  };
}
