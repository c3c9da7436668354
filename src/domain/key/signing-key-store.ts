import type { Database, Queryable } from "../../postgres/pool.ts";
import type { RecordChange } from "../audit/audit.ts";

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

/** What has become of a key. */
export interface KeyChange {
  /** The first is created; one that is made to follow another is a rotation. */
  readonly type: "key.created" | "key.rotated" | "key.dropped";
  readonly keyId: string;
}

/** When a new key is made, and how long keys are known before and after they sign. In seconds. */
export interface KeyPlan {
  /** How long a key signs. */
  readonly lifetimeSeconds: number;
  /** How long a key is published before it signs: longer than verifiers may keep the JWK set. */
  readonly publishAheadSeconds: number;
  /** How long a key is published after another one signs: longer than any token lives. */
  readonly keepSeconds: number;
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
  text: "delete from signing_keys where kid = $1 returning kid",
};
const deleteAll = { name: "signing-key.delete-all", text: "delete from signing_keys returning kid" };
const deleteExpired = {
  name: "signing-key.delete-expired",
  text: "delete from signing_keys where expires_at < now()",
};

/** The signing keys in Postgres. `record` writes down what has become of one, in the same transaction. */
export interface SigningKeyStore {
  /** All that are published, in the order in which they sign. */
  list(): Promise<SigningKeyRecord[]>;
  /**
   * Adds a key where there is none, where the newest has signed for its lifetime, or where `force` says so and the
   * newest signs already; otherwise nothing. However many try at once, one of them makes the key.
   *
   * @returns whether this call has made one
   */
  rotate(
    plan: KeyPlan,
    force: boolean,
    make: () => NewSigningKey,
    record: RecordChange<KeyChange>,
  ): Promise<boolean>;
  /** Forgets every key at once for one that signs at once; answers which those were. */
  replaceAll(key: NewSigningKey, record: RecordChange<KeyChange>): Promise<string[]>;
  /** Replaces the seal of a key, unless somebody else has. */
  reseal(kid: string, oldSecretKeyId: string, sealedPrivateKey: Buffer, secretKeyId: string): Promise<void>;
  /**
   * Forgets a key at once; false where there is no such one. If it was the one that signs, the next one does,
   * which is made where there is none.
   */
  drop(
    kid: string,
    plan: KeyPlan,
    make: () => NewSigningKey,
    record: RecordChange<KeyChange>,
  ): Promise<boolean>;
}

/** @param db the pool; only this noun uses its table */
export function createSigningKeyStore(db: Pick<Database, "query" | "transaction">): SigningKeyStore {
  return {
    list: () => db.query<SigningKeyRecord>(listKeys, []),
    rotate: (plan, force, make, record) =>
      db.transaction(async (tx) => {
        await tx.query(lockKeys, []);
        await tx.query(deleteExpired, []);
        const newest = (await tx.query<SigningKeyRecord>(listKeys, [])).at(-1);
        const due = newest === undefined || newest.activeForSeconds >= plan.lifetimeSeconds;
        // One that waits for its time is what whoever asks again wants: another would only delay it.
        if (!due && !(force && newest.active)) return false;
        const key = make();
        await insert(tx, key, newest === undefined ? 0 : plan.publishAheadSeconds);
        await record({ type: newest === undefined ? "key.created" : "key.rotated", keyId: key.kid }, tx);
        await tx.query(planEnds, [plan.keepSeconds]);
        return true;
      }),
    replaceAll: (key, record) =>
      db.transaction(async (tx) => {
        await tx.query(lockKeys, []);
        const deleted = await tx.query<{ kid: string }>(deleteAll, []);
        for (const { kid } of deleted) await record({ type: "key.dropped", keyId: kid }, tx);
        await insert(tx, key, 0);
        await record({ type: "key.created", keyId: key.kid }, tx);
        return deleted.map(({ kid }) => kid);
      }),
    async reseal(kid, oldSecretKeyId, sealedPrivateKey, secretKeyId) {
      await db.query(reseal, [kid, oldSecretKeyId, sealedPrivateKey, secretKeyId]);
    },
    drop: (kid, plan, make, record) =>
      db.transaction(async (tx) => {
        await tx.query(lockKeys, []);
        await tx.query(deleteExpired, []);
        const known = await tx.query<SigningKeyRecord>(listKeys, []);
        const deleted = await tx.query(deleteKey, [kid]);
        if (deleted.length > 0) await record({ type: "key.dropped", keyId: kid }, tx);
        if (known.findLast(({ active }) => active)?.kid === kid) {
          // A leaked key is not waited for: the next one signs at once, whether verifiers know it or not.
          const next = known.find(({ active }) => !active);
          if (next !== undefined) await tx.query(activate, [next.kid]);
          else {
            const key = make();
            await insert(tx, key, 0);
            await record({ type: "key.created", keyId: key.kid }, tx);
          }
        }
        await tx.query(planEnds, [plan.keepSeconds]);
        return deleted.length > 0;
      }),
  };
}

async function insert(tx: Queryable, key: NewSigningKey, activatesIn: number): Promise<void> {
  await tx.query(insertKey, [
    key.kid,
    key.algorithm,
    JSON.stringify(key.publicJwk),
    key.sealedPrivateKey,
    key.secretKeyId,
    activatesIn,
  ]);
}
