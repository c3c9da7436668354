import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import { decodeBase64Url } from "../../lib/base64.ts";
import type { SecretKey, SecretKeys } from "../key/secret-keys.ts";

const prefix = "csr_";
const version = 1;
const keyIdBytes = 4;
const handleBytes = 16;
const generationBytes = 8;
const tagBytes = 32;
const headBytes = 1 + keyIdBytes + handleBytes + generationBytes;
/** No session gets there. Both stores count up to it exactly. */
const generationMax = 2n ** 53n - 1n;
const form = /^csr_[A-Za-z0-9_-]{82}$/;

/** What a genuine refresh token says. */
export interface ParsedRefreshToken {
  readonly handle: Buffer;
  readonly generation: bigint;
}

/**
 * A new secret handle: 128 random bits that name a session in its refresh tokens. It is stored
 * nowhere; both stores are keyed by its hash.
 */
export function createHandle(): Buffer {
  return randomBytes(handleBytes);
}

/** The key of a session in the stores: SHA-256 of its handle. */
export function hashHandle(handle: Buffer): Buffer {
  return hash("sha256", handle, "buffer");
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
  const counter = Buffer.alloc(generationBytes);
  counter.writeBigUInt64BE(session.generation);
  const head = Buffer.concat([Buffer.of(version), Buffer.from(key.id, "hex"), session.handle, counter]);
  return prefix + Buffer.concat([head, tagOf(key, head, session.clientId)]).toString("base64url");
}

/**
 * Reads a refresh token and checks its tag. No store is asked: a token that we did not make for this
 * client ends here.
 *
 * @returns null for every text that is no genuine token of this client under a key of SECRET_KEY
 */
export function parseRefreshToken(
  token: string,
  clientId: string,
  secretKeys: SecretKeys,
): ParsedRefreshToken | null {
  const opened = openToken(token, secretKeys);
  if (opened === null || !timingSafeEqual(opened.tag, tagOf(opened.key, opened.head, clientId))) return null;
  const { head, handle } = opened;
  const generation = head.readBigUInt64BE(headBytes - generationBytes);
  return generation < generationMax ? { handle, generation } : null;
}

/** The parts of a refresh token whose tag is still to be checked. */
export interface OpenedToken {
  readonly key: SecretKey;
  readonly handle: Buffer;
  /** All that the tag covers beside the client's id. */
  readonly head: Buffer;
  readonly tag: Buffer;
}

/** Takes a text of the form of a refresh token apart; null for any other, or where its key is not ours. */
export function openToken(token: string, secretKeys: SecretKeys): OpenedToken | null {
  if (!form.test(token)) return null;
  // The last digit has four bits to spare: one token has one spelling.
  const bytes = decodeBase64Url(token.slice(prefix.length));
  if (bytes === null) return null;
  const [head, tag] = [bytes.subarray(0, headBytes), bytes.subarray(headBytes)];
  const key = secretKeys.find(head.subarray(1, 1 + keyIdBytes).toString("hex"));
  if (head[0] !== version || key === null || tag.byteLength !== tagBytes) return null;
  return { key, handle: head.subarray(1 + keyIdBytes, 1 + keyIdBytes + handleBytes), head, tag };
}

function tagOf(key: SecretKey, head: Buffer, clientId: string): Buffer {
  return key.mac("refresh-token")(head, clientId);
}
