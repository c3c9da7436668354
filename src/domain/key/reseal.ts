import type { SecretKeys } from "./secret-keys.ts";
import { sealKey, unsealKey } from "./signing-key.ts";
import type { SigningKeyRecord } from "./signing-key-store.ts";

/** A key that is to be sealed anew. */
export interface Reseal {
  readonly record: SigningKeyRecord;
  readonly sealedPrivateKey: Buffer;
}

/**
 * Seals keys under the first entry of SECRET_KEY, if they are sealed under another one.
 *
 * @returns those, and the keys that cannot be opened here: they are sealed under an entry that SECRET_KEY lacks, or are
 *   damaged
 */
export function sealAnew(
  records: readonly SigningKeyRecord[],
  secretKeys: SecretKeys,
): { readonly resealed: readonly Reseal[]; readonly unopenable: readonly SigningKeyRecord[] } {
  const resealed: Reseal[] = [];
  const unopenable: SigningKeyRecord[] = [];
  for (const record of records) {
    if (record.secretKeyId === secretKeys.current.id) continue;
    try {
      const der = unsealKey(record, secretKeys);
      resealed.push({ record, sealedPrivateKey: sealKey(secretKeys.current, record.kid, der) });
    } catch {
      unopenable.push(record);
    }
  }
  return { resealed, unopenable };
}
