import type { Algorithm } from "../key/algorithms.ts";
import type { SigningKeys } from "../key/signing-keys.ts";
import { defineId } from "../../lib/random-id.ts";

const tokenIds = defineId("jti");
const clockSkewSeconds = 5;

/** What an access token says of a user's session. Times are seconds since the epoch, by the store's clock. */
export interface AccessTokenGrant {
  readonly userId: string;
  readonly sessionId: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  readonly audience: string;
  /** When the user gave the password. */
  readonly authTime: number;
  readonly issuedAt: number;
  /** When the session ends, unless it is refreshed before. */
  readonly sessionExpiresAt: number;
}

/** A signed access token. */
export interface AccessToken {
  readonly token: string;
  /** Seconds until it expires. */
  readonly expiresIn: number;
}

/** Issues access tokens: JWTs by RFC 9068. */
export interface AccessTokenIssuer {
  issue(grant: AccessTokenGrant): AccessToken;
}

/** @param options the issuer's URL, the life of a token in seconds, and the keys */
export function createAccessTokenIssuer(options: {
  readonly issuer: string;
  readonly ttlSeconds: number;
  readonly keys: SigningKeys;
}): AccessTokenIssuer {
  return {
    issue(grant) {
      const key = options.keys.current;
      const expiresAt = Math.min(grant.issuedAt + options.ttlSeconds, grant.sessionExpiresAt);
      const input = `${encodeHeader(key.algorithm, key.kid)}.${encode(claims(options.issuer, grant, expiresAt))}`;
      const signature = key.sign(input).toString("base64url");
      return { token: `${input}.${signature}`, expiresIn: expiresAt - grant.issuedAt };
    },
  };
}

function encodeHeader(alg: Algorithm, kid: string): string {
  // RFC 9068 section 2.1: the type keeps access tokens and ID tokens apart.
  return encode({ typ: "at+jwt", alg, kid });
}

/** RFC 9068 section 2.2. */
function claims(issuer: string, grant: AccessTokenGrant, expiresAt: number): Record<string, unknown> {
  return {
    iss: issuer,
    sub: grant.userId,
    aud: grant.audience,
    exp: expiresAt,
    iat: grant.issuedAt,
    nbf: grant.issuedAt - clockSkewSeconds,
    jti: tokenIds.create(),
    client_id: grant.clientId,
    scope: grant.scopes.join(" "),
    sid: grant.sessionId,
    auth_time: grant.authTime,
    amr: ["pwd"],
    roles: grant.roles,
  };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
