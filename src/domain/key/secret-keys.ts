import { createSecretKey as importKey, hkdfSync, type KeyObject } from "node:crypto";
import { createHmacSha256, type Hmac } from "../../lib/hmac-sha256.ts";
import { memoize } from "../../lib/memoize.ts";

/** What a key is used for. Keys are separated by purpose: one never serves two. */
export type Purpose =
  | "refresh-token"
  | "origin"
  | "signing-key"
  | "name"
  | "import-id"
  | "audit-name"
  | "throttle"
  | "device-token";

/** One entry of SECRET_KEY. */
export interface SecretKey {
  /** Eight hexadecimal digits, derived from the secret: safe to store beside what hangs on it. */
  readonly id: string;
  /**
   * The 32-byte key of one purpose (HKDF-SHA-256, RFC 5869). As a KeyObject it shows its bytes to no log, and
   * is imported once: an HMAC with a Buffer for a key takes six times as long.
   */
  derive(purpose: Purpose): KeyObject;
  /** HMAC-SHA-256 with the key of one purpose. */
  mac(purpose: Purpose): Hmac;
}

/** The list of SECRET_KEY: the first issues, all are accepted. */
export interface SecretKeys {
  readonly current: SecretKey;
  find(id: string): SecretKey | null;
}

/** @param secrets at least one, in the order of SECRET_KEY */
export function createSecretKeys(secrets: readonly string[]): SecretKeys {
  const keys = secrets.map(createSecretKey);
  const [current] = keys;
  if (current === undefined) throw new Error("SECRET_KEY holds no secret");
  const byId = new Map(keys.map((key) => [key.id, key]));
  return { current, find: (id) => byId.get(id) ?? null };
}

function createSecretKey(secret: string): SecretKey {
  const derive = memoize((purpose: Purpose) => importKey(expand(secret, purpose)));
  const mac = memoize((purpose: Purpose) => createHmacSha256(derive(purpose)));
  return { id: expand(secret, "key-id").subarray(0, 4).toString("hex"), derive, mac };
}

function expand(secret: string, purpose: Purpose | "key-id"): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "countersign", `countersign/v1/${purpose}`, 32));
}
