import { etagOf } from "../../lib/etag.ts";
import type { SigningKeyRecord } from "./signing-key-store.ts";

/** `published`: it waits for its time to sign; `retired`: another one signs, and tokens of this one live. */
export type KeyState = "published" | "signs" | "retired";

/** A published key, as those who administer see it. */
export interface ListedKey {
  readonly kid: string;
  readonly algorithm: string;
  readonly state: KeyState;
  readonly createdAt: Date;
  readonly signsFrom: Date;
  /** How long it waits for its time to sign, in seconds; 0 for one that waits no more. */
  readonly signsInSeconds: number;
  /** Null while no other key follows it. */
  readonly forgottenAt: Date | null;
  /** The id of the entry of SECRET_KEY that its private half is sealed under. */
  readonly sealedBy: string;
  /** Its state, to tell it from another. A new seal is none. */
  readonly etag: string;
}

/** @param records all that are published, in the order in which they sign */
export function listKeys(records: readonly SigningKeyRecord[]): ListedKey[] {
  const signer = records.findLast(({ active }) => active)?.kid;
  return records.map((record) => {
    const { kid, algorithm, createdAt, activatesAt: signsFrom, expiresAt: forgottenAt } = record;
    const state = kid === signer ? "signs" : record.active ? "retired" : "published";
    return {
      kid,
      algorithm,
      state,
      createdAt,
      signsFrom,
      signsInSeconds: Math.max(0, Math.ceil(-record.activeForSeconds)),
      forgottenAt,
      sealedBy: record.secretKeyId,
      etag: etagOf([kid, state, signsFrom, forgottenAt]),
    };
  });
}
