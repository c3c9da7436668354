import { createHmac, type KeyObject } from "node:crypto";
import { foldName } from "../../lib/fold.ts";

const hmacBytes = 16;

/**
 * What stands in the audit trail for a name that no user has: people type passwords into that field. The same
 * name always gives the same 32 hexadecimal digits, until another entry of SECRET_KEY comes first.
 */
export type NameHmac = (name: string) => string;

/** @param key the 32-byte key of this purpose */
export function createNameHmac(key: KeyObject): NameHmac {
  return (name) =>
    createHmac("sha256", key).update(foldName(name)).digest().subarray(0, hmacBytes).toString("hex");
}
