import type { Database } from "../../postgres/pool.ts";
import type { Audit } from "../audit/audit.ts";
import { type AuditSource, byOperator, byService } from "../audit/audit-event.ts";
import { AppError } from "../../errors/app-error.ts";
import type { Algorithm } from "./algorithms.ts";
import { type ChangeKeys, createChangeKeys } from "./change-keys.ts";
import type { SecretKeys } from "./secret-keys.ts";
import {
  makeSigningKey,
  openSigningKey,
  type PublicJwk,
  presentJwk,
  sealKey,
  type SigningKey,
  unsealKey,
} from "./signing-key.ts";
import type { SigningKeyRecord, SigningKeyStore } from "./signing-key-store.ts";

/** The signing keys, as they are known in memory. */
export interface SigningKeys {
  /** The key that signs now. */
  readonly current: SigningKey;
  /** All that are published, in the order in which they sign. The array is another one after each change. */
  readonly published: readonly PublicJwk[];
  /** When the store was last looked at, in seconds since the epoch. */
  readonly refreshedAt: number;
  /** Looks at the store again, unless that was done in the last half second. */
  refresh(): Promise<void>;
}

/** How long the JWK set may be kept by verifiers, in seconds: much less than keys are published ahead. */
export const jwksMaxAgeSeconds = 300;

/** Access tokens live a day at most; verifiers are told to allow a minute of skew. */
const keepSeconds = 86_400 + 300;
const publishAheadSeconds = 3 * jwksMaxAgeSeconds;
const refreshPauseMs = 500;

/** What the signing keys are made of. */
export interface SigningKeysDeps {
  readonly db: Pick<Database, "transaction">;
  readonly store: SigningKeyStore;
  readonly secretKeys: SecretKeys;
  /** Of a new key. */
  readonly algorithm: Algorithm;
  /** How long a key signs, in seconds. */
  readonly lifetimeSeconds: number;
  readonly audit: Pick<Audit, "record">;
}

/** The key that signs next, or signs now. */
export interface KeyRotation {
  /** Whether it was made now. */
  readonly made: boolean;
  readonly key: SigningKeyRecord;
}

/** What operators do to signing keys. */
export interface SigningKeyAdmin {
  list(): Promise<SigningKeyRecord[]>;
  /**
   * Makes a new key, which is published now and signs when every verifier can know it; at once where it is
   * the first. Where one waits for its time already, it makes none.
   */
  rotate(): Promise<KeyRotation>;
  /** Forgets a key at once: what it signed is refused by whoever looks at the JWK set again. */
  drop(kid: string): Promise<boolean>;
  /** Forgets every key at once, for a new one that signs at once. */
  replaceAll(): Promise<{ readonly kid: string; readonly droppedKids: readonly string[] }>;
}

/** Builds what operators do to signing keys. */
export function createSigningKeyAdmin(deps: SigningKeysDeps): SigningKeyAdmin {
  const { store } = deps;
  const changes = changesOf(deps, byOperator);
  return {
    list: () => store.list(),
    async rotate() {
      const made = await changes.rotate(true);
      const key = (await store.list()).at(-1);
      if (key === undefined) throw new AppError("conflict", "The key was dropped meanwhile.");
      return { made, key };
    },
    drop: (kid) => changes.drop(kid),
    replaceAll: () => changes.replaceAll(),
  };
}

/**
 * Loads the signing keys. A key is made where there is none, and the next one when the newest has signed
 * for its lifetime. Keys that are sealed under an older entry of SECRET_KEY are sealed anew, so that the entry
 * can be dropped.
 *
 * @throws where the key that signs is sealed with a secret that is not in SECRET_KEY
 */
export async function loadSigningKeys(deps: SigningKeysDeps): Promise<SigningKeys> {
  const { store } = deps;
  const changes = changesOf(deps, byService);
  let known = { current: null as SigningKey | null, published: [] as readonly PublicJwk[] };
  let lookedAt = -Infinity;
  let refreshedAt = 0;
  let refreshing: Promise<void> | null = null;

  const load = async (): Promise<void> => {
    let records = await store.list();
    const newest = records.at(-1);
    if (newest === undefined || newest.activeForSeconds >= deps.lifetimeSeconds) {
      await changes.rotate(false);
      records = await store.list();
    }
    const signer = records.findLast(({ active }) => active);
    if (signer === undefined) throw new Error("the key store holds no signing key");
    if (signer.kid !== known.current?.kid || !isSameSet(records, known.published)) {
      const current = openSigningKey(signer, unsealKey(signer, deps.secretKeys));
      known = { current, published: records.map(presentJwk) };
    }
    await resealAll(records, deps);
    refreshedAt = Date.now() / 1000;
  };

  const refresh = async (): Promise<void> => {
    if (performance.now() - lookedAt < refreshPauseMs) return;
    refreshing ??= load().finally(() => {
      lookedAt = performance.now();
      refreshing = null;
    });
    await refreshing;
  };

  await refresh();
  return {
    get current() {
      if (known.current === null) throw new Error("the signing keys are not loaded");
      return known.current;
    },
    get published() {
      return known.published;
    },
    get refreshedAt() {
      return refreshedAt;
    },
    refresh,
  };
}

async function resealAll(
  records: readonly SigningKeyRecord[],
  { store, secretKeys }: SigningKeysDeps,
): Promise<void> {
  const { current } = secretKeys;
  for (const record of records) {
    // One that we cannot open is for an instance that can: a verifier needs no private key.
    const isOpenable = secretKeys.find(record.secretKeyId) !== null;
    if (record.secretKeyId === current.id || !isOpenable) continue;
    const sealed = sealKey(current, record.kid, unsealKey(record, secretKeys));
    await store.reseal(record.kid, record.secretKeyId, sealed, current.id);
  }
}

function isSameSet(records: readonly SigningKeyRecord[], published: readonly PublicJwk[]): boolean {
  return (
    records.length === published.length && records.every(({ kid }, index) => kid === published[index]?.kid)
  );
}

function changesOf(deps: SigningKeysDeps, by: AuditSource): ChangeKeys {
  const { secretKeys, algorithm, lifetimeSeconds } = deps;
  const plan = { lifetimeSeconds, publishAheadSeconds, keepSeconds };
  return createChangeKeys({ ...deps, plan, make: () => makeSigningKey(secretKeys.current, algorithm) }, by);
}
