import { createHash, createPrivateKey, type KeyObject } from "node:crypto";
import { type Algorithm, generateKeyPair, isAlgorithm, readyKey, signWith } from "./algorithms.ts";
import { seal, unseal } from "./seal.ts";
import type { SecretKey, SecretKeys } from "./secret-keys.ts";
import type { NewSigningKey, SigningKeyRecord } from "./signing-key-store.ts";

/** A public key as the JWK set shows it (RFC 7517 section 4). */
export interface PublicJwk {
  readonly kty: string;
  readonly use: "sig";
  readonly alg: Algorithm;
  readonly kid: string;
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
  readonly n?: string;
  readonly e?: string;
}

/** A key that signs. */
export interface SigningKey {
  readonly kid: string;
  readonly algorithm: Algorithm;
  /** When it began to sign, in seconds since the epoch. */
  readonly activatedAt: number;
  /** A JWS signature over the text. */
  sign(input: string): Buffer;
}

/** The RFC 7517 members that make up each key type, in the order of RFC 7638 section 3.3. */
const membersByType: Readonly<Record<string, readonly string[]>> = {
  EC: ["crv", "kty", "x", "y"],
  OKP: ["crv", "kty", "x"],
  RSA: ["e", "kty", "n"],
};

/** Makes a new key, sealed under the secret that issues. */
export function makeSigningKey(secretKey: SecretKey, algorithm: Algorithm): NewSigningKey {
  const { publicKey, privateKey } = generateKeyPair(algorithm);
  const publicJwk = thumbprintMembers(publicKey);
  const kid = createHash("sha256").update(JSON.stringify(publicJwk)).digest("base64url");
  const der = privateKey.export({ format: "der", type: "pkcs8" });
  return {
    kid,
    algorithm,
    publicJwk,
    sealedPrivateKey: sealKey(secretKey, kid, der),
    secretKeyId: secretKey.id,
  };
}

/** Seals a private key (PKCS #8, DER) under a secret. */
export function sealKey(secretKey: SecretKey, kid: string, der: Buffer): Buffer {
  return seal(secretKey.derive("signing-key"), kid, der);
}

/**
 * Opens a stored key's private half (PKCS #8, DER).
 *
 * @throws where it is sealed with a secret that is no longer in SECRET_KEY
 */
export function unsealKey(record: SigningKeyRecord, secretKeys: SecretKeys): Buffer {
  const { kid, secretKeyId } = record;
  const secretKey = secretKeys.find(secretKeyId);
  if (secretKey === null) {
    throw new Error(
      `the signing key ${kid} is sealed with a secret that is not in SECRET_KEY (id ${secretKeyId})`,
    );
  }
  return unseal(secretKey.derive("signing-key"), kid, record.sealedPrivateKey);
}

/** A stored key, ready to sign. @param der its opened private half */
export function openSigningKey(record: SigningKeyRecord, der: Buffer): SigningKey {
  const { kid } = record;
  const algorithm = algorithmOf(record);
  const key = readyKey(algorithm, createPrivateKey({ key: der, format: "der", type: "pkcs8" }));
  const activatedAt = record.activatesAt.getTime() / 1000;
  return { kid, algorithm, activatedAt, sign: (input) => signWith(key, input) };
}

/** A stored key's public half. */
export function presentJwk(record: SigningKeyRecord): PublicJwk {
  const { kty = "", ...rest } = record.publicJwk;
  return { kty, use: "sig", alg: algorithmOf(record), kid: record.kid, ...rest };
}

function algorithmOf({ kid, algorithm }: SigningKeyRecord): Algorithm {
  if (!isAlgorithm(algorithm)) throw new Error(`the signing key ${kid} has an unknown algorithm`);
  return algorithm;
}

/** The required members of a public key in lexicographic order: the input of its RFC 7638 thumbprint. */
function thumbprintMembers(publicKey: KeyObject): Record<string, string> {
  const jwk = publicKey.export({ format: "jwk" });
  const members = membersByType[jwk.kty ?? ""] ?? [];
  return Object.fromEntries(members.map((name) => [name, String(jwk[name])]));
}
