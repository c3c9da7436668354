import { defineId } from "../../lib/random-id.ts";
import type { Events } from "../events.ts";
import type { SigningKey } from "../key/signing-key.ts";
import type { SigningKeys } from "../key/signing-keys.ts";
import { tokenCharsMax } from "./token-budget.ts";

const tokenIds = defineId("jti");
const clockSkewSeconds = 5;

/** What every access token says. Times are seconds since the epoch, by the store's clock. */
export interface AccessTokenGrant {
  readonly subject: string;
  readonly clientId: string;
  /** Which registration of the client's id a token for the client alone is for; null with a session, which knows. */
  readonly clientRegistration: string | null;
  readonly scopes: readonly string[];
  /** Whom it is for; at least one. */
  readonly audiences: readonly string[];
  readonly issuedAt: number;
  /** Null for the service's default. */
  readonly ttlSeconds: number | null;
  /** What a user's session adds; null for a client alone. */
  readonly session: {
    readonly id: string;
    readonly roles: readonly string[];
    /** The operator's own claims; null for none. Their names are none of ours. */
    readonly claims: Readonly<Record<string, unknown>> | null;
    /** When the user proved who it is. */
    readonly authTime: number;
    /** How the user proved who it is, by the names of RFC 8176. */
    readonly amr: readonly string[];
    /** When the session ends, unless it is refreshed before. */
    readonly expiresAt: number;
  } | null;
}

/** A signed access token. */
export interface AccessToken {
  readonly token: string;
  /** Seconds until it expires. */
  readonly expiresIn: number;
}

/**
 * Issues access tokens: JWTs by RFC 9068, of at most 8,000 characters, so that none is too long to be shown. Where
 * a user's roles are too many for that, the token says nothing of roles, rather than a part of them.
 */
export interface AccessTokenIssuer {
  issue(grant: AccessTokenGrant): AccessToken;
}

/**
 * @param options the issuer's URL, the default of the life in seconds, and the keys; nobody
 *   hears of what happens by default
 */
export function createAccessTokenIssuer(options: {
  readonly issuer: string;
  readonly ttlSeconds: number;
  readonly keys: SigningKeys;
  readonly events?: Events;
}): AccessTokenIssuer {
  let header = { kid: "", text: "" };
  const headerOf = ({ kid, algorithm: alg }: SigningKey): string => {
    // RFC 9068 section 2.1: the type keeps access tokens and ID tokens apart.
    if (header.kid !== kid) header = { kid, text: encode({ typ: "at+jwt", alg, kid }) };
    return header.text;
  };
  const sign = (payload: Record<string, unknown>): string => {
    const key = options.keys.current;
    const input = `${headerOf(key)}.${encode(payload)}`;
    return `${input}.${key.sign(input).toString("base64url")}`;
  };
  const signBounded = (payload: Record<string, unknown>): string => {
    const token = sign(payload);
    if (token.length <= tokenCharsMax) return token;
    const { roles, ...rest } = payload;
    const shorter = roles === undefined ? token : sign(rest);
    if (shorter.length > tokenCharsMax) {
      throw new Error(
        `an access token would have ${shorter.length} characters; the client's audiences are too long`,
      );
    }
    options.events?.emit("token.roles_left_out", null);
    return shorter;
  };
  return {
    issue(grant) {
      const lastsUntil = grant.issuedAt + (grant.ttlSeconds ?? options.ttlSeconds);
      const expiresAt = Math.min(lastsUntil, grant.session?.expiresAt ?? lastsUntil);
      return {
        token: signBounded(claims(options.issuer, grant, expiresAt)),
        expiresIn: expiresAt - grant.issuedAt,
      };
    },
  };
}

/** RFC 9068 section 2.2. */
function claims(issuer: string, grant: AccessTokenGrant, expiresAt: number): Record<string, unknown> {
  const { session, audiences } = grant;
  return {
    // First, so that they could not take the place of ours.
    ...session?.claims,
    iss: issuer,
    sub: grant.subject,
    // RFC 7519 section 4.1.3: one may stand by itself.
    aud: audiences.length === 1 ? audiences[0] : audiences,
    exp: expiresAt,
    iat: grant.issuedAt,
    nbf: grant.issuedAt - clockSkewSeconds,
    jti: tokenIds.create(),
    client_id: grant.clientId,
    // RFC 6749 section 3.3 knows no empty scope.
    ...(grant.scopes.length === 0 ? {} : { scope: grant.scopes.join(" ") }),
    ...(session === null
      ? { client_reg: grant.clientRegistration }
      : { sid: session.id, auth_time: session.authTime, amr: session.amr, roles: session.roles }),
  };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
