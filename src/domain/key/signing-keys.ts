import { createHash, createPrivateKey, type KeyObject } from "node:crypto";
import { type Algorithm, generateKeyPair, isAlgorithm, signWith } from "./algorithms.ts";
import { seal, unseal } from "./seal.ts";
import type { SecretKeys } from "./secret-keys.ts";
import type { SigningKeyRecord, SigningKeyStore } from "./signing-key-store.ts";

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

/** The key that signs now. */
export interface SigningKey {
  readonly kid: string;
  readonly algorithm: Algorithm;
  /** A JWS signature over the text. */
  sign(input: string): Buffer;
}

/** The signing keys, in memory. */
export interface SigningKeys {
  readonly current: SigningKey;
  /** All that are published, oldest first. */
  readonly published: readonly PublicJwk[];
}

/** The RFC 7517 members that make up each key type, in the order of RFC 7638 section 3.3. */
const membersByType: Readonly<Record<string, readonly string[]>> = {
  EC: ["crv", "kty", "x", "y"],
  OKP: ["crv", "kty", "x"],
  RSA: ["e", "kty", "n"],
};

/**
 * Loads the signing keys, and makes the first one where there is none.
 *
 * @throws where a key is sealed with a secret that is no longer in SECRET_KEY
 */
export async function loadSigningKeys(
  store: SigningKeyStore,
  secretKeys: SecretKeys,
  algorithm: Algorithm,
): Promise<SigningKeys> {
  const records = await store.ensure(() => makeRecord(secretKeys, algorithm));
  const newest = records.at(-1);
  if (newest === undefined) throw new Error("the key store holds no signing key");
  return { current: openRecord(newest, secretKeys), published: records.map(presentJwk) };
}

function makeRecord(secretKeys: SecretKeys, algorithm: Algorithm): SigningKeyRecord {
  const { publicKey, privateKey } = generateKeyPair(algorithm);
  const publicJwk = thumbprintMembers(publicKey);
  const kid = createHash("sha256").update(JSON.stringify(publicJwk)).digest("base64url");
  const secretKey = secretKeys.current;
  const der = privateKey.export({ format: "der", type: "pkcs8" });
  const sealedPrivateKey = seal(secretKey.derive("signing-key"), kid, der);
  return { kid, algorithm, publicJwk, sealedPrivateKey, secretKeyId: secretKey.id };
}

/** The required members of a public key in lexicographic order: the input of its RFC 7638 thumbprint. */
function thumbprintMembers(publicKey: KeyObject): Record<string, string> {
  const jwk = publicKey.export({ format: "jwk" });
  const members = membersByType[jwk.kty ?? ""] ?? [];
  return Object.fromEntries(members.map((name) => [name, String(jwk[name])]));
}

function openRecord(record: SigningKeyRecord, secretKeys: SecretKeys): SigningKey {
  const { kid, algorithm } = record;
  if (!isAlgorithm(algorithm)) throw new Error(`the signing key ${kid} has an unknown algorithm`);
  const secretKey = secretKeys.find(record.secretKeyId);
  if (secretKey === null) {
    throw new Error(
      `the signing key ${kid} is sealed with a secret that is not in SECRET_KEY (id ${record.secretKeyId})`,
    );
  }
  const der = unseal(secretKey.derive("signing-key"), kid, record.sealedPrivateKey);
  const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  return { kid, algorithm, sign: (input) => signWith(algorithm, privateKey, input) };
}

function presentJwk(record: SigningKeyRecord): PublicJwk {
  const { kty = "", ...rest } = record.publicJwk;
  return { kty, use: "sig", alg: record.algorithm as Algorithm, kid: record.kid, ...rest };
}
