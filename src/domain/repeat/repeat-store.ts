import type { Queryable } from "../../postgres/pool.ts";

/** A request that may be repeated, as it is kept. */
export interface KeptRequest {
  readonly fingerprint: Buffer;
  readonly resultId: string;
}

// Of all that come with one key, one inserts it or takes over what has expired; the others wait for its commit.
const insert = {
  name: "repeat.insert",
  text: `insert into repeatable_requests as r (key, fingerprint, result_id, expires_at)
    values ($1, $2, $3, now() + interval '1 day')
    on conflict (key) do update set fingerprint = excluded.fingerprint, result_id = excluded.result_id,
      expires_at = excluded.expires_at
    where r.expires_at < now() returning 1`,
};
const find = {
  name: "repeat.find",
  text: `select fingerprint, result_id as "resultId" from repeatable_requests where key = $1`,
};
const forget = { name: "repeat.forget", text: "delete from repeatable_requests where result_id = $1" };
const deleteExpired = {
  name: "repeat.delete-expired",
  text: "delete from repeatable_requests where expires_at < now()",
};

/** Requests that may be repeated, in Postgres. */
export interface RepeatStore {
  /** Keeps a request for a day; false where one with its key is kept. */
  insert(tx: Queryable, key: Buffer, request: KeptRequest): Promise<boolean>;
  find(tx: Queryable, key: Buffer): Promise<KeptRequest | null>;
  /** Forgets the requests that created something. */
  forget(tx: Queryable, resultId: string): Promise<void>;
  deleteExpired(): Promise<void>;
}

/** @param db the pool, for what is done outside of a transaction */
export function createRepeatStore(db: Queryable): RepeatStore {
  return {
    insert: async (tx, key, { fingerprint, resultId }) =>
      (await tx.query(insert, [key, fingerprint, resultId])).length > 0,
    find: async (tx, key) => (await tx.query<KeptRequest>(find, [key]))[0] ?? null,
    async forget(tx, resultId) {
      await tx.query(forget, [resultId]);
    },
    async deleteExpired() {
      await db.query(deleteExpired, []);
    },
  };
}
