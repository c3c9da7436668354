import { createLocalJWKSet, errors, jwtVerify } from "jose";
import type { SigningKeys } from "../key/signing-keys.ts";

/** What a genuine, unexpired access token of ours says. */
export interface AccessTokenClaims {
  readonly userId: string;
  readonly sessionId: string;
  readonly scopes: readonly string[];
}

/** RFC 9068 section 2.2: what no access token goes without, beside what is checked against a value. */
const requiredClaims = ["sub", "exp", "iat", "jti", "client_id"];

/** Checks an access token by itself; whether its session lives is another question. */
export type VerifyAccessToken = (token: string) => Promise<AccessTokenClaims | null>;

/**
 * RFC 9068 section 4 and RFC 8725: type, issuer, audience, signature under one of our keys with that
 * key's own algorithm, times.
 *
 * @returns a function that answers null for every token that does not pass
 */
export function createAccessTokenVerifier(options: {
  readonly issuer: string;
  readonly audience: string;
  readonly keys: SigningKeys;
}): VerifyAccessToken {
  const { issuer, audience } = options;
  const keySet = createLocalJWKSet({ keys: options.keys.published.map((jwk) => ({ ...jwk })) });
  const algorithms = [...new Set(options.keys.published.map((jwk) => jwk.alg))];
  return async (token) => {
    try {
      const rules = { issuer, audience, typ: "at+jwt", algorithms, requiredClaims };
      const { payload } = await jwtVerify(token, keySet, rules);
      const { sub, sid, scope } = payload;
      if (sub === undefined || typeof sid !== "string" || typeof scope !== "string") return null;
      return { userId: sub, sessionId: sid, scopes: scope.split(" ").filter((name) => name !== "") };
    } catch (error) {
      if (error instanceof errors.JOSEError) return null;
      throw error;
    }
  };
}
