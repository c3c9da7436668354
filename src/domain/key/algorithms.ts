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

/**
 * A JWS signature. Synchronous on purpose: an asynchronous one would wait in libuv's pool behind
 * password hashes, for longer than signing takes.
 */
export function signWith(algorithm: Algorithm, privateKey: KeyObject, input: string): Buffer {
  const spec: AlgorithmSpec = algorithms[algorithm];
  return sign(spec.digest, Buffer.from(input), { key: privateKey, ...spec.options });
}

/** Whether a JWS signature over the text is the key's. Synchronous for the same reason. */
export function verifyWith(
  algorithm: Algorithm,
  publicKey: KeyObject,
  input: string,
  signature: Buffer,
): boolean {
  const spec: AlgorithmSpec = algorithms[algorithm];
  return verify(spec.digest, Buffer.from(input), { key: publicKey, ...spec.options }, signature);
}
