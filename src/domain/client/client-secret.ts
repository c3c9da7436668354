import { hash, randomBytes, timingSafeEqual } from "node:crypto";

const prefix = "csc_";

/**
 * A new client secret: 256 random bits. They cannot be guessed, so that a plain hash of them is as
 * good as a slow one, and is made for every call.
 */
export function createClientSecret(): string {
  return prefix + randomBytes(32).toString("base64url");
}

/** What is stored of a secret: its SHA-256. */
export function hashClientSecret(secret: string): Buffer {
  return hash("sha256", secret, "buffer");
}

/** Whether a secret is the one of a stored hash. */
export function isClientSecret(secret: string, hash: Buffer): boolean {
  return timingSafeEqual(hashClientSecret(secret), hash);
}
