import type { Client } from "../client/client.ts";
import type { IssuableSession } from "../session/sessions.ts";
import type { AccessTokenIssuer } from "../token/access-token.ts";

/** The tokens of a successful login or refresh. */
export interface IssuedTokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Seconds until the access token expires. */
  readonly expiresIn: number;
  readonly userId: string;
}

/** Issues the tokens of a session. @param scopes of the access token: the session's, or fewer */
export function issueTokens(
  accessTokens: AccessTokenIssuer,
  session: IssuableSession,
  client: Client,
  scopes: readonly string[],
): IssuedTokens {
  const { user } = session;
  const { token, expiresIn } = accessTokens.issue({
    userId: user.id,
    sessionId: session.id,
    clientId: client.id,
    scopes,
    roles: user.roles,
    audience: client.audience,
    authTime: session.authTime,
    issuedAt: session.issuedAt,
    sessionExpiresAt: session.expiresAt,
  });
  return { accessToken: token, refreshToken: session.refreshToken, expiresIn, userId: user.id };
}
