import { createHash, createHmac, randomBytes } from "node:crypto";
import type { SecretKey } from "../key/secret-keys.ts";

const prefix = "csr_";
const version = 1;
const handleBytes = 16;

/**
 * A new secret handle: 128 random bits that name a session in its refresh tokens. It is stored
 * nowhere; both stores are keyed by its hash.
 */
export function createHandle(): Buffer {
  return randomBytes(handleBytes);
}

/** The key of a session in the stores: SHA-256 of its handle. */
export function hashHandle(handle: Buffer): Buffer {
  return createHash("sha256").update(handle).digest();
}

/**
 * Derives a session's refresh token of one generation. The same input gives the same token, so that
 * none is ever stored:
 *
 *     "csr_" base64url( version 1 | key id 4 | handle 16 | generation 8 | HMAC-SHA-256 tag 32 )
 *
 * The tag covers everything before it and the client's id: a token that was forged, changed or
 * brought by another client is refused before any store is asked.
 *
 * @param key the entry of SECRET_KEY that issues
 * @param generation how often the session's token was rotated; 0 for its first
 */
export function deriveRefreshToken(
  key: SecretKey,
  session: { readonly handle: Buffer; readonly clientId: string; readonly generation: bigint },
): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(session.generation);
  const head = Buffer.concat([Buffer.of(version), Buffer.from(key.id, "hex"), session.handle, counter]);
  const tag = createHmac("sha256", key.derive("refresh-token"))
    .update(head)
    .update(session.clientId)
    .digest();
  return prefix + Buffer.concat([head, tag]).toString("base64url");
}
