import { constants, createPublicKey, type KeyObject, verify, type VerifyKeyObjectInput } from "node:crypto";

/** The algorithms that Countersign signs with (RFC 7518 section 3, RFC 8037). None of them takes a shared secret. */
export const algorithms = ["ES256", "EdDSA", "PS256", "RS256"] as const;

/** One of {@link algorithms}. */
export type Algorithm = (typeof algorithms)[number];

/** A public key of the issuer, for the one algorithm that it names (RFC 8725 section 3.1). */
export interface PublicKey {
  readonly kid: string;
  readonly algorithm: Algorithm;
  /** With its algorithm's options on it: for an object around a key Node throws and catches errors in each call. */
  readonly key: KeyObject;
}

/** RFC 7518 section 3.3. */
const modulusBitsMin = 2048;

const modes: Record<
  Algorithm,
  { readonly digest: string | null; readonly with: Omit<VerifyKeyObjectInput, "key"> }
> = {
  ES256: { digest: "sha256", with: { dsaEncoding: "ieee-p1363" } },
  EdDSA: { digest: null, with: {} },
  PS256: { digest: "sha256", with: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } },
  RS256: { digest: "sha256", with: { padding: constants.RSA_PKCS1_PADDING } },
};

/** Whether a signature over some text is the key's. */
export function isSignedBy(key: PublicKey, input: string, signature: Buffer): boolean {
  return verify(modes[key.algorithm].digest, Buffer.from(input, "latin1"), key.key, signature);
}

/**
 * The keys of a JWK Set (RFC 7517) that verify signatures by an allowed algorithm. Keys of any other kind are passed
 * over, as section 5 wants, and so is the second of two with one id.
 *
 * @throws Error where this is no JWK Set
 */
export function readKeys(set: unknown, allowed: ReadonlySet<Algorithm>): ReadonlyMap<string, PublicKey> {
  const jwks = isRecord(set) ? set["keys"] : undefined;
  if (!Array.isArray(jwks)) throw new Error("The issuer's keys are not a JWK Set.");
  const keys = new Map<string, PublicKey>();
  for (const jwk of jwks) {
    const key = readKey(jwk);
    if (key !== null && allowed.has(key.algorithm) && !keys.has(key.kid)) keys.set(key.kid, key);
  }
  return keys;
}

function readKey(jwk: unknown): PublicKey | null {
  if (!isRecord(jwk) || typeof jwk["kid"] !== "string" || "d" in jwk) return null;
  if (jwk["use"] !== undefined && jwk["use"] !== "sig") return null;
  const algorithm = algorithms.find((name) => name === jwk["alg"]);
  if (algorithm === undefined) return null;
  try {
    const key = createPublicKey({ key: jwk, format: "jwk" });
    if (!fits(key, algorithm)) return null;
    return { kid: jwk["kid"], algorithm, key: Object.assign(key, modes[algorithm].with) };
  } catch {
    return null;
  }
}

function fits(key: KeyObject, algorithm: Algorithm): boolean {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (algorithm === "ES256") return type === "ec" && details?.namedCurve === "prime256v1";
  if (algorithm === "EdDSA") return type === "ed25519";
  return type === "rsa" && (details?.modulusLength ?? 0) >= modulusBitsMin;
}

/** Whether this is a JSON object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
