import type { Database } from "../../postgres/pool.ts";
import type { RecordChange } from "../audit/audit.ts";

const insert = {
  name: "revoked-token.insert",
  text: `insert into revoked_access_tokens (jti, expires_at) values ($1, to_timestamp($2))
    on conflict (jti) do nothing returning 1`,
};
const find = { name: "revoked-token.find", text: "select 1 from revoked_access_tokens where jti = $1" };
const deleteExpired = {
  name: "revoked-token.delete-expired",
  text: "delete from revoked_access_tokens where expires_at < now() - interval '5 minutes'",
};

/** Revoked access tokens that have no session, in Postgres. */
export interface RevokedTokenStore {
  /**
   * @param expiresAt seconds since the epoch
   * @param record writes the event down in the same transaction, where the token was not revoked already
   */
  add(jti: string, expiresAt: number, record: RecordChange<void>): Promise<void>;
  has(jti: string): Promise<boolean>;
  deleteExpired(): Promise<void>;
}

/** @param db the pool */
export function createRevokedTokenStore(db: Pick<Database, "query" | "transaction">): RevokedTokenStore {
  return {
    add: (jti, expiresAt, record) =>
      db.transaction(async (tx) => {
        const added = await tx.query(insert, [jti, expiresAt]);
        if (added.length > 0) await record(undefined, tx);
      }),
    has: async (jti) => (await db.query(find, [jti])).length > 0,
    async deleteExpired() {
      await db.query(deleteExpired, []);
    },
  };
}
