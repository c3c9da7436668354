import type { Client } from "../client/client.ts";
import type { IssuedSession } from "../session/sessions.ts";
import type { AccessTokenIssuer } from "./access-token.ts";

/** The tokens of a successful grant. */
export interface IssuedTokens {
  readonly accessToken: string;
  /** Null for a client alone: it can ask again at any time (RFC 6749 section 4.4.3). */
  readonly refreshToken: string | null;
  /** Seconds until the access token expires. */
  readonly expiresIn: number;
  /** Null for a client alone. */
  readonly userId: string | null;
  /** The scopes granted, separated by spaces, where they are fewer than those asked for; null otherwise. */
  readonly scope: string | null;
  /** What makes the device that has signed in a known one; only where a login asked for it. */
  readonly deviceToken?: string;
}

/** What an access token of a session says beside whose it is. */
export interface GrantedAccess {
  /** The scopes that were asked for. */
  readonly asked: readonly string[];
  /** Those that are granted. */
  readonly scopes: readonly string[];
  /** Whom it is for. */
  readonly audiences: readonly string[];
}

/** Issues the tokens of a session. */
export function issueTokens(
  accessTokens: AccessTokenIssuer,
  session: IssuedSession,
  client: Client,
  { asked, scopes, audiences }: GrantedAccess,
): IssuedTokens {
  const { user } = session;
  const { token, expiresIn } = accessTokens.issue({
    subject: user.id,
    clientId: client.id,
    clientRegistration: null,
    scopes,
    audiences,
    issuedAt: session.issuedAt,
    ttlSeconds: client.accessTokenTtlSeconds,
    session: {
      id: session.id,
      roles: user.roles,
      claims: user.claims,
      authTime: session.authTime,
      amr: session.amr,
      expiresAt: session.expiresAt,
    },
  });
  return {
    accessToken: token,
    refreshToken: session.refreshToken,
    expiresIn,
    userId: user.id,
    // RFC 6749 section 5.1.
    scope: scopes.length < asked.length ? scopes.join(" ") : null,
  };
}
