import {
  constants,
  generateKeyPairSync,
  type KeyObject,
  type SignKeyObjectInput,
  sign,
  verify,
} from "node:crypto";

/** A JWS algorithm of RFC 7518 and 8037: how its keys are made, and how it signs. */
interface AlgorithmSpec {
  generate(): { publicKey: KeyObject; privateKey: KeyObject };
  /** The digest; null where the algorithm has its own. */
  readonly digest: "sha256" | null;
  readonly options: Omit<SignKeyObjectInput, "key">;
}

const rsaBits = 2048;
const generateRsa = () => generateKeyPairSync("rsa", { modulusLength: rsaBits });

const algorithms = {
  ES256: {
    generate: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
    digest: "sha256",
    // RFC 7518 section 3.4: R and S side by side, not ASN.1.
    options: { dsaEncoding: "ieee-p1363" },
  },
  EdDSA: { generate: () => generateKeyPairSync("ed25519"), digest: null, options: {} },
  RS256: { generate: generateRsa, digest: "sha256", options: {} },
  PS256: {
    generate: generateRsa,
    digest: "sha256",
    // RFC 7518 section 3.5: the salt is as long as the digest.
    options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
  },
} as const satisfies Record<string, AlgorithmSpec>;

/** The algorithms that access tokens can be signed with. */
export type Algorithm = keyof typeof algorithms;

/** Whether a name is one of these algorithms. */
export function isAlgorithm(name: string): name is Algorithm {
  return Object.hasOwn(algorithms, name);
}

/** Makes a new key pair for an algorithm. */
export function generateKeyPair(algorithm: Algorithm): { publicKey: KeyObject; privateKey: KeyObject } {
  return algorithms[algorithm].generate();
}

/** A key of either half, ready for its algorithm. */
export interface AlgorithmKey {
  readonly algorithm: Algorithm;
  readonly key: KeyObject;
}

/**
 * Readies a key for its algorithm. The options stand on the key itself, where Node reads them too: for an object around
 * the key it throws and catches two errors in each call, which takes as long as a signature.
 */
export function readyKey(algorithm: Algorithm, key: KeyObject): AlgorithmKey {
  return { algorithm, key: Object.assign(key, algorithms[algorithm].options) };
}

/**
 * A JWS signature. Synchronous on purpose: an asynchronous one would wait in libuv's pool behind
 * password hashes, for longer than signing takes.
 */
export function signWith({ algorithm, key }: AlgorithmKey, input: string): Buffer {
  return sign(algorithms[algorithm].digest, Buffer.from(input), key);
}

/** Whether a JWS signature over the text is the key's. Synchronous for the same reason. */
export function verifyWith({ algorithm, key }: AlgorithmKey, input: string, signature: Buffer): boolean {
  return verify(algorithms[algorithm].digest, Buffer.from(input), key, signature);
}
