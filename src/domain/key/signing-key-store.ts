import type { Queryable } from "../../postgres/pool.ts";

/** A signing key as it is made. */
export interface NewSigningKey {
  readonly kid: string;
  readonly algorithm: string;
  readonly publicJwk: Readonly<Record<string, string>>;
  readonly sealedPrivateKey: Buffer;
  readonly secretKeyId: string;
}

/** A signing key as the database holds it. */
export interface SigningKeyRecord extends NewSigningKey {
  /** Whether its time to sign has come, by the database's clock. */
  readonly active: boolean;
  /** How long ago that was, in seconds; negative while it is still to come. */
  readonly activeForSeconds: number;
  readonly createdAt: Date;
  readonly activatesAt: Date;
  /** When it is forgotten; null for the newest. */
  readonly expiresAt: Date | null;
}

const listKeys = {
  name: "signing-key.list",
  text: `select kid, algorithm, public_jwk as "publicJwk", sealed_private_key as "sealedPrivateKey",
      secret_key_id as "secretKeyId", activates_at <= now() as active,
      extract(epoch from now() - activates_at)::float8 as "activeForSeconds",
      created_at as "createdAt", activates_at as "activatesAt", expires_at as "expiresAt"
    from signing_keys where expires_at is null or expires_at > now() order by activates_at, kid`,
};
const lockKeys = { name: "signing-key.lock", text: "lock table signing_keys in share row exclusive mode" };
const insertKey = {
  name: "signing-key.insert",
  text: `insert into signing_keys (kid, algorithm, public_jwk, sealed_private_key, secret_key_id, activates_at)
    values ($1, $2, $3, $4, $5, now() + $6::int * interval '1 second')`,
};
// A key is kept for so long after the one that follows it signs; the newest for as long as none does.
const planEnds = {
  name: "signing-key.plan-ends",
  text: `update signing_keys k set expires_at = f.activates_at + $1::int * interval '1 second'
    from (
      select kid, lead(activates_at) over (order by activates_at, kid) as activates_at from signing_keys
    ) f where f.kid = k.kid`,
};
const reseal = {
  name: "signing-key.reseal",
  text: "update signing_keys set sealed_private_key = $3, secret_key_id = $4 where kid = $1 and secret_key_id = $2",
};
const activate = {
  name: "signing-key.activate",
  text: "update signing_keys set activates_at = now() where kid = $1",
};
const deleteKey = {
  name: "signing-key.delete",
  text: "delete from signing_keys where kid = $1",
};
const deleteAll = { name: "signing-key.delete-all", text: "delete from signing_keys returning kid" };
const deleteExpired = {
  name: "signing-key.delete-expired",
  text: "delete from signing_keys where expires_at < now()",
};

/** The signing keys in Postgres. What belongs to a change takes the transaction of its use case first. */
export interface SigningKeyStore {
  /** All that are published, in the order in which they sign. */
  list(tx?: Queryable): Promise<SigningKeyRecord[]>;
  /** Keeps everybody else from changing a key until the transaction ends. */
  lock(tx: Queryable): Promise<void>;
  /** Deletes the keys that have expired. */
  deleteExpired(tx: Queryable): Promise<void>;
  /** Adds a key that signs in so many seconds. */
  insert(tx: Queryable, key: NewSigningKey, activatesInSeconds: number): Promise<void>;
  /** Lets a key sign from now on. */
  activate(tx: Queryable, kid: string): Promise<void>;
  /** Deletes a key. */
  delete(tx: Queryable, kid: string): Promise<void>;
  /** Deletes all keys; answers which those were. */
  deleteAll(tx: Queryable): Promise<string[]>;
  /** Lets each key be forgotten so long after the one that follows it signs. */
  planEnds(tx: Queryable, keepSeconds: number): Promise<void>;
  /** Replaces the seal of a key, unless somebody else has. */
  reseal(
    record: Pick<SigningKeyRecord, "kid" | "secretKeyId">,
    sealedPrivateKey: Buffer,
    secretKeyId: string,
    tx?: Queryable,
  ): Promise<void>;
}

/** @param db the pool, for what is asked outside of a transaction */
export function createSigningKeyStore(db: Queryable): SigningKeyStore {
  return {
    list: (tx = db) => tx.query<SigningKeyRecord>(listKeys, []),
    async lock(tx) {
      await tx.query(lockKeys, []);
    },
    async deleteExpired(tx) {
      await tx.query(deleteExpired, []);
    },
    async insert(tx, key, activatesInSeconds) {
      await tx.query(insertKey, [
        key.kid,
        key.algorithm,
        JSON.stringify(key.publicJwk),
        key.sealedPrivateKey,
        key.secretKeyId,
        activatesInSeconds,
      ]);
    },
    async activate(tx, kid) {
      await tx.query(activate, [kid]);
    },
    async delete(tx, kid) {
      await tx.query(deleteKey, [kid]);
    },
    deleteAll: async (tx) => (await tx.query<{ kid: string }>(deleteAll, [])).map(({ kid }) => kid),
    async planEnds(tx, keepSeconds) {
      await tx.query(planEnds, [keepSeconds]);
    },
    async reseal(record, sealedPrivateKey, secretKeyId, tx = db) {
      await tx.query(reseal, [record.kid, record.secretKeyId, sealedPrivateKey, secretKeyId]);
    },
  };
}
