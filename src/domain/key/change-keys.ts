import { changedMeanwhile } from "../../errors/invalid.ts";
import type { Database, Queryable } from "../../postgres/pool.ts";
import type { Audit } from "../audit/audit.ts";
import type { AuditSource } from "../audit/audit-event.ts";
import { type ListedKey, listKeys } from "./listed-key.ts";
import { sealAnew } from "./reseal.ts";
import type { SecretKeys } from "./secret-keys.ts";
import type { NewSigningKey, SigningKeyRecord, SigningKeyStore } from "./signing-key-store.ts";

/** When a new key is made, and how long keys are known before and after they sign. In seconds. */
export interface KeyPlan {
  /** How long a key signs. */
  readonly lifetimeSeconds: number;
  /** How long a key is published before it signs: longer than verifiers may keep the JWK set. */
  readonly publishAheadSeconds: number;
  /** How long a key is published after another one signs: longer than any token lives. */
  readonly keepSeconds: number;
}

/** The key that signs next; or that signs now, where it is the first. */
export interface KeyRotation {
  /** Whether it was made now. */
  readonly made: boolean;
  readonly key: ListedKey;
}

/** Which keys were sealed anew, and which could not be. */
export interface ResealedKeys {
  readonly resealedKids: readonly string[];
  readonly unopenableKids: readonly string[];
}

/**
 * The changes of the signing keys, each in one transaction with its events, which name who makes it. Each throws AppError
 * unavailable.
 */
export interface ChangeKeys {
  /**
   * Adds a key where there is none, where the newest has signed for its lifetime, or where `force` says so and the
   * newest signs already; otherwise nothing. However many try at once, one of them makes the key.
   *
   * @returns the newest key
   */
  rotate(by: AuditSource, force: boolean): Promise<KeyRotation>;
  /** Forgets every key at once for one that signs at once. */
  replaceAll(by: AuditSource): Promise<{ readonly kid: string; readonly droppedKids: readonly string[] }>;
  /**
   * Forgets a key at once; false where there is no such one. If it was the one that signs, the next one does,
   * which is made where there is none.
   *
   * @param etag the state that is dropped; empty for any
   * @throws AppError conflict where it is in another state
   */
  drop(by: AuditSource, kid: string, etag: string): Promise<boolean>;
  /** Seals all keys under the first entry of SECRET_KEY that can be opened. */
  reseal(by: AuditSource): Promise<ResealedKeys>;
}

/** What the changes are made of. */
export interface ChangeKeysDeps {
  readonly db: Pick<Database, "transaction">;
  readonly store: SigningKeyStore;
  readonly plan: KeyPlan;
  readonly audit: Pick<Audit, "record">;
  readonly secretKeys: SecretKeys;
  /** Makes a key, which no store knows yet. */
  make(): NewSigningKey;
}

/** Builds them. */
export function createChangeKeys(deps: ChangeKeysDeps): ChangeKeys {
  const { db, store, plan, audit } = deps;

  /** Locks the keys; answers those that are published. */
  const lock = async (tx: Queryable): Promise<SigningKeyRecord[]> => {
    const [, , known] = await Promise.all([store.lock(tx), store.deleteExpired(tx), store.list(tx)]);
    return known;
  };
  const add = async (
    tx: Queryable,
    by: AuditSource,
    type: "key.created" | "key.rotated",
    activatesInSeconds: number,
  ): Promise<string> => {
    const key = deps.make();
    await store.insert(tx, key, activatesInSeconds);
    await audit.record(tx, { type, ...by, keyId: key.kid });
    return key.kid;
  };
  const recordDrop = (tx: Queryable, by: AuditSource, keyId: string): Promise<void> =>
    audit.record(tx, { type: "key.dropped", ...by, keyId });

  return {
    rotate: (by, force) =>
      db.transaction(async (tx) => {
        const newest = (await lock(tx)).at(-1);
        const due = newest === undefined || newest.activeForSeconds >= plan.lifetimeSeconds;
        // One that waits for its time is what whoever asks again wants: another would only delay it.
        const made = due || (force && newest.active);
        if (made) {
          // The first is created; one that is made to follow another is a rotation.
          if (newest === undefined) await add(tx, by, "key.created", 0);
          else await add(tx, by, "key.rotated", plan.publishAheadSeconds);
          await store.planEnds(tx, plan.keepSeconds);
        }
        const key = listKeys(await store.list(tx)).at(-1);
        if (key === undefined) throw new Error("the key store holds no key");
        return { made, key };
      }),
    replaceAll: (by) =>
      db.transaction(async (tx) => {
        await store.lock(tx);
        const droppedKids = await store.deleteAll(tx);
        for (const kid of droppedKids) await recordDrop(tx, by, kid);
        return { kid: await add(tx, by, "key.created", 0), droppedKids };
      }),
    drop: (by, kid, etag) =>
      db.transaction(async (tx) => {
        const known = await lock(tx);
        const found = listKeys(known).find((key) => key.kid === kid);
        if (found === undefined) return false;
        if (etag !== "" && etag !== found.etag) throw changedMeanwhile();
        await store.delete(tx, kid);
        await recordDrop(tx, by, kid);
        if (found.state === "signs") {
          // A leaked key is not waited for: the next one signs at once, whether verifiers know it or not.
          const next = known.find(({ active }) => !active);
          if (next === undefined) await add(tx, by, "key.created", 0);
          else await store.activate(tx, next.kid);
        }
        await store.planEnds(tx, plan.keepSeconds);
        return true;
      }),
    reseal: (by) =>
      db.transaction(async (tx) => {
        const { resealed, unopenable } = sealAnew(await lock(tx), deps.secretKeys);
        const { id } = deps.secretKeys.current;
        for (const { record, sealedPrivateKey } of resealed) {
          await store.reseal(record, sealedPrivateKey, id, tx);
        }
        const reason = `resealed=${resealed.length} unopenable=${unopenable.length}`;
        await audit.record(tx, { type: "keys.resealed", ...by, reason });
        return {
          resealedKids: resealed.map(({ record }) => record.kid),
          unopenableKids: unopenable.map(({ kid }) => kid),
        };
      }),
  };
}
