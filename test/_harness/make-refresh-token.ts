import { createHmac, hkdfSync } from "node:crypto";

/** What a refresh token is made from. */
export interface RefreshTokenParts {
  /** The entry of SECRET_KEY whose key makes the tag. */
  readonly secret: string;
  readonly handle: Buffer;
  readonly clientId: string;
  readonly generation: bigint;
  /** The key's id as the token says it; by default the right one. */
  readonly keyId?: Buffer;
  readonly version?: number;
}

/** Makes a refresh token by its description, without the product's code. */
export function makeRefreshToken(parts: RefreshTokenParts): string {
  const { secret, handle, clientId, generation, version = 1 } = parts;
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(generation);
  const keyId = parts.keyId ?? deriveKey(secret, "key-id").subarray(0, 4);
  const head = Buffer.concat([Buffer.of(version), keyId, handle, counter]);
  const tag = createHmac("sha256", deriveKey(secret, "refresh-token")).update(head).update(clientId).digest();
  return `csr_${Buffer.concat([head, tag]).toString("base64url")}`;
}

/** The key of one purpose (HKDF-SHA-256), without the product's code. */
export function deriveKey(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "countersign", `countersign/v1/${purpose}`, 32));
}
