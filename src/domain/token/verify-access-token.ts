import { createLocalJWKSet, errors, type JWTPayload, jwtVerify } from "jose";
import { decodeBase64Url } from "../../lib/base64.ts";
import type { PublicJwk } from "../key/signing-key.ts";
import type { SigningKeys } from "../key/signing-keys.ts";

/** What a genuine, unexpired access token of ours says. Times are seconds since the epoch. */
export interface AccessTokenClaims {
  readonly subject: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly audience: string;
  readonly id: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** Null where the token was issued to a client alone. */
  readonly sessionId: string | null;
  /** Which registration of the client's id a token of the client alone was issued to; null where it does not say. */
  readonly clientRegistration: string | null;
}

/** RFC 9068 section 2.2: what no access token goes without, beside what is checked against a value. */
const requiredClaims = ["sub", "aud", "exp", "iat", "jti", "client_id"];

/** Checks an access token by itself; whether it was revoked, and whom it is for, are other questions. */
export type VerifyAccessToken = (token: string) => Promise<AccessTokenClaims | null>;

/**
 * RFC 9068 section 4 and RFC 8725: type, issuer, signature under one of our keys with that key's own
 * algorithm, times.
 *
 * @returns a function that answers null for every token that does not pass
 */
export function createAccessTokenVerifier(options: {
  readonly issuer: string;
  readonly keys: SigningKeys;
  /** The database's time, which tokens begin and end by, in milliseconds since the epoch. */
  readonly now: () => number;
}): VerifyAccessToken {
  const { issuer, keys, now } = options;
  const keySetOf = rememberLast((published: readonly PublicJwk[]) => ({
    keySet: createLocalJWKSet({ keys: published.map((jwk) => ({ ...jwk })) }),
    algorithms: [...new Set(published.map((jwk) => jwk.alg))],
  }));
  const verify = async (token: string): Promise<AccessTokenClaims | null> => {
    const { keySet, algorithms } = keySetOf(keys.published);
    const { payload } = await jwtVerify(token, keySet, {
      issuer,
      typ: "at+jwt",
      algorithms,
      requiredClaims,
      currentDate: new Date(now()),
    });
    return readClaims(payload);
  };
  return async (token) => {
    if (!isCompact(token)) return null;
    try {
      return await verify(token).catch(async (error: unknown) => {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        // Another instance may have made a key that we have not seen yet.
        await keys.refresh();
        return verify(token);
      });
    } catch (error) {
      if (error instanceof errors.JOSEError) return null;
      throw error;
    }
  };
}

function readClaims(payload: JWTPayload): AccessTokenClaims | null {
  const { sub, aud, jti, iat, exp, client_id: clientId, scope = "", sid, client_reg: registration } = payload;
  if (sub === undefined || typeof aud !== "string" || jti === undefined) return null;
  if (iat === undefined || exp === undefined) return null;
  if (typeof clientId !== "string" || typeof scope !== "string") return null;
  return {
    subject: sub,
    clientId,
    scopes: scope.split(" ").filter((name) => name !== ""),
    audience: aud,
    id: jti,
    issuedAt: iat,
    expiresAt: exp,
    sessionId: typeof sid === "string" ? sid : null,
    clientRegistration: typeof registration === "string" ? registration : null,
  };
}

/** RFC 7515 section 7.1. The library takes padding and white space too: a token would have many spellings. */
function isCompact(token: string): boolean {
  const parts = token.split(".");
  return parts.length === 3 && parts.every((part) => part !== "" && decodeBase64Url(part) !== null);
}

/** A function that is not run again while its argument stays the same. */
function rememberLast<A extends object, R>(make: (argument: A) => R): (argument: A) => R {
  let last: { readonly argument: A; readonly result: R } | null = null;
  return (argument) => {
    if (last?.argument !== argument) last = { argument, result: make(argument) };
    return last.result;
  };
}
