import type { Database } from "../../postgres/pool.ts";

const insert = {
  name: "revoked-token.insert",
  text: `insert into revoked_access_tokens (jti, expires_at) values ($1, to_timestamp($2))
    on conflict (jti) do nothing`,
};
const find = { name: "revoked-token.find", text: "select 1 from revoked_access_tokens where jti = $1" };
const deleteExpired = {
  name: "revoked-token.delete-expired",
  text: "delete from revoked_access_tokens where expires_at < now() - interval '5 minutes'",
};

/** Revoked access tokens that have no session, in Postgres. */
export interface RevokedTokenStore {
  /** @param expiresAt seconds since the epoch */
  add(jti: string, expiresAt: number): Promise<void>;
  has(jti: string): Promise<boolean>;
  deleteExpired(): Promise<void>;
}

/** @param db the pool */
export function createRevokedTokenStore(db: Pick<Database, "query">): RevokedTokenStore {
  return {
    async add(jti, expiresAt) {
      await db.query(insert, [jti, expiresAt]);
    },
    has: async (jti) => (await db.query(find, [jti])).length > 0,
    async deleteExpired() {
      await db.query(deleteExpired, []);
    },
  };
}
