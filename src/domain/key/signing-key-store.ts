import type { Database } from "../../postgres/pool.ts";

/** A signing key as the database holds it. */
export interface SigningKeyRecord {
  readonly kid: string;
  readonly algorithm: string;
  readonly publicJwk: Readonly<Record<string, string>>;
  readonly sealedPrivateKey: Buffer;
  readonly secretKeyId: string;
}

const listKeys = {
  name: "signing-key.list",
  text: `select kid, algorithm, public_jwk as "publicJwk", sealed_private_key as "sealedPrivateKey",
    secret_key_id as "secretKeyId" from signing_keys order by created_at, kid`,
};
const lockKeys = { name: "signing-key.lock", text: "lock table signing_keys in share row exclusive mode" };
const insertKey = {
  name: "signing-key.insert",
  text: `insert into signing_keys (kid, algorithm, public_jwk, sealed_private_key, secret_key_id)
    values ($1, $2, $3, $4, $5)`,
};

/** The signing keys in Postgres. */
export interface SigningKeyStore {
  /** All of them, oldest first. */
  list(): Promise<SigningKeyRecord[]>;
  /**
   * Adds a key if there is none, and tells what there is then. However many replicas start together,
   * one of them makes the key and all see it.
   */
  ensure(make: () => SigningKeyRecord): Promise<SigningKeyRecord[]>;
}

/** @param db the pool; only this noun uses its tables */
export function createSigningKeyStore(db: Pick<Database, "query" | "transaction">): SigningKeyStore {
  return {
    list: () => db.query<SigningKeyRecord>(listKeys, []),
    ensure: (make) =>
      db.transaction(async (tx) => {
        await tx.query(lockKeys, []);
        const present = await tx.query<SigningKeyRecord>(listKeys, []);
        if (present.length > 0) return present;
        const key = make();
        const values = [
          key.kid,
          key.algorithm,
          JSON.stringify(key.publicJwk),
          key.sealedPrivateKey,
          key.secretKeyId,
        ];
        await tx.query(insertKey, values);
        return [key];
      }),
  };
}
