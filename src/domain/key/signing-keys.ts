import type { Database } from "../../postgres/pool.ts";
import type { Audit } from "../audit/audit.ts";
import { type AuditSource, byService } from "../audit/audit-event.ts";
import { notFound } from "../../errors/invalid.ts";
import type { Algorithm } from "./algorithms.ts";
import { type ChangeKeys, createChangeKeys, type KeyRotation } from "./change-keys.ts";
import { type ListedKey, listKeys } from "./listed-key.ts";
import { sealAnew } from "./reseal.ts";
import type { SecretKeys } from "./secret-keys.ts";
import {
  makeSigningKey,
  openSigningKey,
  type PublicJwk,
  presentJwk,
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

/** What is done to signing keys, by whoever it is. Each throws AppError unavailable. */
export interface SigningKeyAdmin extends Pick<ChangeKeys, "reseal" | "replaceAll"> {
  /** All that are published, in the order in which they sign. */
  list(): Promise<ListedKey[]>;
  /** The id of the first entry of SECRET_KEY. */
  readonly secretKeyId: string;
  /**
   * Makes a new key, which is published now and signs when every verifier can know it; at once where it is
   * the first. Where one waits for its time already, it makes none.
   */
  rotate(by: AuditSource): Promise<KeyRotation>;
  /**
   * Forgets a key at once: what it signed is refused by whoever looks at the JWK set again.
   *
   * @param etag the state that is dropped; empty for any
   * @throws AppError not_found; conflict where it is in another state
   */
  drop(by: AuditSource, kid: string, etag: string): Promise<void>;
}

/** Builds what is done to signing keys. */
export function createSigningKeyAdmin(deps: SigningKeysDeps): SigningKeyAdmin {
  const changes = changesOf(deps);
  return {
    list: async () => listKeys(await deps.store.list()),
    secretKeyId: deps.secretKeys.current.id,
    rotate: (by) => changes.rotate(by, true),
    async drop(by, kid, etag) {
      if (!(await changes.drop(by, kid, etag))) throw notFound("signing key");
    },
    reseal: (by) => changes.reseal(by),
    replaceAll: (by) => changes.replaceAll(by),
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
  const changes = changesOf(deps);
  let known = { current: null as SigningKey | null, published: [] as readonly PublicJwk[] };
  let lookedAt = -Infinity;
  let refreshedAt = 0;
  let refreshing: Promise<void> | null = null;

  const load = async (): Promise<void> => {
    let records = await store.list();
    const newest = records.at(-1);
    if (newest === undefined || newest.activeForSeconds >= deps.lifetimeSeconds) {
      await changes.rotate(byService, false);
      records = await store.list();
    }
    const signer = records.findLast(({ active }) => active);
    if (signer === undefined) throw new Error("the key store holds no signing key");
    if (signer.kid !== known.current?.kid || !isSameSet(records, known.published)) {
      const current = openSigningKey(signer, unsealKey(signer, deps.secretKeys));
      known = { current, published: records.map(presentJwk) };
    }
    // One that cannot be opened here is for an instance that can: a verifier needs no private key.
    for (const { record, sealedPrivateKey } of sealAnew(records, deps.secretKeys).resealed) {
      await store.reseal(record, sealedPrivateKey, deps.secretKeys.current.id);
    }
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

function isSameSet(records: readonly SigningKeyRecord[], published: readonly PublicJwk[]): boolean {
  return (
    records.length === published.length && records.every(({ kid }, index) => kid === published[index]?.kid)
  );
}

function changesOf(deps: SigningKeysDeps): ChangeKeys {
  const { secretKeys, algorithm, lifetimeSeconds } = deps;
  const plan = { lifetimeSeconds, publishAheadSeconds, keepSeconds };
  return createChangeKeys({ ...deps, plan, make: () => makeSigningKey(secretKeys.current, algorithm) });
}
