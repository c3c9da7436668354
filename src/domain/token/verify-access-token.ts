import { createPublicKey } from "node:crypto";
import { type AlgorithmKey, readyKey, verifyWith } from "../key/algorithms.ts";
import type { PublicJwk } from "../key/signing-key.ts";
import type { SigningKeys } from "../key/signing-keys.ts";
import type { AccessTokenClaims } from "./access-token-claims.ts";
import { type CompactJws, parseJsonObject, readCompactJws } from "./compact-jws.ts";
import { createVerifiedTokens, type VerifiedToken } from "./verified-tokens.ts";

/** Checks an access token by itself; whether it was revoked, and whom it is for, are other questions. */
export type VerifyAccessToken = (token: string) => Promise<AccessTokenClaims | null>;

type KeySet = ReadonlyMap<string, AlgorithmKey>;

/**
 * RFC 9068 section 4 and RFC 8725: type, issuer, signature under one of our keys with that key's own
 * algorithm, times. A token that passed is remembered by its text, and then asked for its key and its times alone.
 *
 * @returns a function that answers null for every token that does not pass
 */
export function createAccessTokenVerifier(options: {
  readonly issuer: string;
  readonly keys: Pick<SigningKeys, "published" | "refresh">;
  /** The database's time, which tokens begin and end by, in milliseconds since the epoch. */
  readonly now: () => number;
}): VerifyAccessToken {
  const { issuer, keys, now } = options;
  const keySetOf = rememberLast(importKeys);
  const remembered = createVerifiedTokens();

  const claimsWhileTimely = ({ claims, notBefore }: VerifiedToken): AccessTokenClaims | null => {
    const seconds = Math.floor(now() / 1000);
    return notBefore <= seconds && seconds < claims.expiresAt ? claims : null;
  };

  const verify = async (token: string): Promise<VerifiedToken | null> => {
    const jws = readCompactJws(token);
    if (jws === null || !isAccessTokenHeader(jws.header)) return null;
    const { kid } = jws.header;
    // Another instance may have made a key that we have not seen yet.
    if (!keySetOf(keys.published).has(kid)) await keys.refresh();
    const key = keySetOf(keys.published).get(kid);
    return key !== undefined && isSignedBy(key, jws) ? readToken(kid, jws.payload, issuer) : null;
  };

  return async (token) => {
    const known = remembered.find(token);
    if (known !== null && keySetOf(keys.published).has(known.kid)) return claimsWhileTimely(known);
    const verified = await verify(token);
    if (verified === null) return null;
    const claims = claimsWhileTimely(verified);
    if (claims !== null) remembered.add(token, verified);
    return claims;
  };
}

/**
 * What a header must say before a key is looked for. RFC 7515 section 4.1.11: an extension that must be understood
 * is one that we do not. RFC 9068 section 4: the type, which may be spelled as a whole media type.
 */
function isAccessTokenHeader(header: CompactJws["header"]): header is { readonly kid: string } {
  const { typ, kid, crit } = header;
  if (typeof typ !== "string" || typeof kid !== "string" || crit !== undefined) return false;
  return /^(?:application\/)?at\+jwt$/i.test(typ);
}

/** RFC 8725 section 3.1: the algorithm is the key's, and a token that names another is refused. */
function isSignedBy(key: AlgorithmKey, { header, input, signature }: CompactJws): boolean {
  return header["alg"] === key.algorithm && verifyWith(key, input, signature);
}

/** RFC 9068 section 2.2: what no access token goes without. Null also where it is another issuer's. */
function readToken(kid: string, payload: Buffer, issuer: string): VerifiedToken | null {
  const { iss, sub, aud, jti, iat, exp, nbf = 0, ...rest } = parseJsonObject(payload) ?? {};
  const { client_id: clientId, scope = "", sid, client_reg: registration } = rest;
  if (iss !== issuer) return null;
  const audiences = readAudiences(aud);
  if (typeof sub !== "string" || audiences === null || typeof jti !== "string") return null;
  if (typeof iat !== "number" || typeof exp !== "number" || typeof nbf !== "number") return null;
  if (typeof clientId !== "string" || typeof scope !== "string") return null;
  const claims = {
    subject: sub,
    clientId,
    scopes: scope.split(" ").filter((name) => name !== ""),
    audiences,
    id: jti,
    issuedAt: iat,
    expiresAt: exp,
    sessionId: typeof sid === "string" ? sid : null,
    clientRegistration: typeof registration === "string" ? registration : null,
  };
  return { kid, claims, notBefore: nbf };
}

/** RFC 7519 section 4.1.3: one, or a list. Null for what is neither. */
function readAudiences(aud: unknown): readonly string[] | null {
  const all: unknown[] = Array.isArray(aud) ? aud : [aud];
  return all.length > 0 && all.every((each) => typeof each === "string") ? all : null;
}

function importKeys(published: readonly PublicJwk[]): KeySet {
  return new Map(
    published.map((jwk) => [jwk.kid, readyKey(jwk.alg, createPublicKey({ key: { ...jwk }, format: "jwk" }))]),
  );
}

/** A function that is not run again while its argument stays the same. */
function rememberLast<A extends object, R>(make: (argument: A) => R): (argument: A) => R {
  let last: { readonly argument: A; readonly result: R } | null = null;
  return (argument) => {
    if (last?.argument !== argument) last = { argument, result: make(argument) };
    return last.result;
  };
}
