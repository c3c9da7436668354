import type { Database, Queryable } from "../../postgres/pool.ts";
import type { Audit } from "../audit/audit.ts";
import type { AuditSource } from "../audit/audit-event.ts";
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

/** The changes of the signing keys, each in one transaction with its events. Each throws AppError unavailable. */
export interface ChangeKeys {
  /**
   * Adds a key where there is none, where the newest has signed for its lifetime, or where `force` says so and the
   * newest signs already; otherwise nothing. However many try at once, one of them makes the key.
   *
   * @returns whether this call has made one
   */
  rotate(force: boolean): Promise<boolean>;
  /** Forgets every key at once for one that signs at once. */
  replaceAll(): Promise<{ readonly kid: string; readonly droppedKids: readonly string[] }>;
  /**
   * Forgets a key at once; false where there is no such one. If it was the one that signs, the next one does,
   * which is made where there is none.
   */
  drop(kid: string): Promise<boolean>;
}

/** What the changes are made of. */
export interface ChangeKeysDeps {
  readonly db: Pick<Database, "transaction">;
  readonly store: SigningKeyStore;
  readonly plan: KeyPlan;
  readonly audit: Pick<Audit, "record">;
  /** Makes a key, which no store knows yet. */
  make(): NewSigningKey;
}

/** @param by who makes the changes, for the audit trail */
export function createChangeKeys(deps: ChangeKeysDeps, by: AuditSource): ChangeKeys {
  const { db, store, plan, audit } = deps;

  /** Locks the keys; answers those that are published. */
  const lock = async (tx: Queryable): Promise<SigningKeyRecord[]> => {
    const [, , known] = await Promise.all([store.lock(tx), store.deleteExpired(tx), store.list(tx)]);
    return known;
  };
  const add = async (
    tx: Queryable,
    type: "key.created" | "key.rotated",
    activatesInSeconds: number,
  ): Promise<string> => {
    const key = deps.make();
    await store.insert(tx, key, activatesInSeconds);
    await audit.record(tx, { type, ...by, keyId: key.kid });
    return key.kid;
  };
  const recordDrop = (tx: Queryable, keyId: string): Promise<void> =>
    audit.record(tx, { type: "key.dropped", ...by, keyId });

  return {
    rotate: (force) =>
      db.transaction(async (tx) => {
        const newest = (await lock(tx)).at(-1);
        const due = newest === undefined || newest.activeForSeconds >= plan.lifetimeSeconds;
        // One that waits for its time is what whoever asks again wants: another would only delay it.
        if (!due && !(force && newest.active)) return false;
        // The first is created; one that is made to follow another is a rotation.
        if (newest === undefined) await add(tx, "key.created", 0);
        else await add(tx, "key.rotated", plan.publishAheadSeconds);
        await store.planEnds(tx, plan.keepSeconds);
        return true;
      }),
    replaceAll: () =>
      db.transaction(async (tx) => {
        await store.lock(tx);
        const droppedKids = await store.deleteAll(tx);
        for (const kid of droppedKids) await recordDrop(tx, kid);
        return { kid: await add(tx, "key.created", 0), droppedKids };
      }),
    drop: (kid) =>
      db.transaction(async (tx) => {
        const known = await lock(tx);
        const isDeleted = await store.delete(tx, kid);
        if (isDeleted) await recordDrop(tx, kid);
        if (known.findLast(({ active }) => active)?.kid === kid) {
          // A leaked key is not waited for: the next one signs at once, whether verifiers know it or not.
          const next = known.find(({ active }) => !active);
          if (next === undefined) await add(tx, "key.created", 0);
          else await store.activate(tx, next.kid);
        }
        await store.planEnds(tx, plan.keepSeconds);
        return isDeleted;
      }),
  };
}
