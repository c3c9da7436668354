import type { LookUps, Queryable } from "../../postgres/pool.ts";

const insert = {
  name: "revoked-token.insert",
  text: `insert into revoked_access_tokens (jti, expires_at) values ($1, to_timestamp($2))
    on conflict (jti) do nothing returning 1`,
};
const find = {
  name: "revoked-token.find",
  text: "select jti as key from revoked_access_tokens where jti = any($1::text[])",
};
const deleteExpired = {
  name: "revoked-token.delete-expired",
  text: "delete from revoked_access_tokens where expires_at < now() - interval '5 minutes'",
};

/** Revoked access tokens that have no session, in Postgres. */
export interface RevokedTokenStore {
  /**
   * Remembers a token; false where it was revoked already.
   *
   * @param expiresAt seconds since the epoch
   */
  add(tx: Queryable, jti: string, expiresAt: number): Promise<boolean>;
  has(jti: string): Promise<boolean>;
  deleteExpired(): Promise<void>;
}

/** @param db the pool, for what is asked outside of a transaction */
export function createRevokedTokenStore(db: Queryable & LookUps): RevokedTokenStore {
  return {
    add: async (tx, jti, expiresAt) => (await tx.query(insert, [jti, expiresAt])).length > 0,
    has: async (jti) => (await db.lookUp(find, jti)) !== null,
    async deleteExpired() {
      await db.query(deleteExpired, []);
    },
  };
}
