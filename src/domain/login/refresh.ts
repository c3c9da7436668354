import { type ClientCredentials, type Clients, requireGrant } from "../client/clients.ts";
import { narrowScopes } from "../client/scope.ts";
import { AppError } from "../../errors/app-error.ts";
import type { Origin } from "../session/session.ts";
import type { Sessions } from "../session/sessions.ts";
import type { AccessTokenIssuer } from "../token/access-token.ts";
import { type IssuedTokens, issueTokens } from "./issue-tokens.ts";

/** A refresh as it was asked for. Empty texts are left-out parameters. */
export interface RefreshAttempt {
  readonly grantType: string;
  readonly refreshToken: string;
  readonly scope: string;
  readonly client: ClientCredentials;
  /** Where the refresh comes from. */
  readonly origin: Origin;
}

/** Obtains new tokens for a refresh token (RFC 6749 section 6). */
export type Refresh = (attempt: RefreshAttempt) => Promise<IssuedTokens>;

/**
 * Whatever can fail comes before the counter moves: the token's tag (no store is asked for a forged
 * one), the client, the session and its user, the scope. Signing needs nothing but the key, which is
 * at hand.
 *
 * @returns the refresh. It throws AppError: unsupported_grant_type, invalid_client,
 *   unauthorized_client, invalid_refresh_token, invalid_scope, unavailable
 */
export function createRefresh(deps: {
  readonly clients: Pick<Clients, "claimedId" | "authenticate">;
  readonly sessions: Pick<Sessions, "parseToken" | "findByToken" | "refresh">;
  readonly accessTokens: AccessTokenIssuer;
}): Refresh {
  const { clients, sessions } = deps;
  return async (attempt) => {
    if (attempt.grantType !== "" && attempt.grantType !== "refresh_token") {
      throw new AppError(
        "unsupported_grant_type",
        "The grant type is not supported here; use refresh_token.",
      );
    }
    const token = sessions.parseToken(attempt.refreshToken, clients.claimedId(attempt.client));
    if (token === null) throw invalidRefreshToken();
    const client = await clients.authenticate(attempt.client, attempt.origin);
    requireGrant(client, "refresh_token");
    const presented = await sessions.findByToken(token);
    if (presented === null) throw invalidRefreshToken();
    const scopes = narrowScopes(attempt.scope, presented.scopes);
    const session = await sessions.refresh(presented, client.refreshGraceMs, attempt.origin);
    if (session === null) throw invalidRefreshToken();
    return issueTokens(deps.accessTokens, session, client, scopes);
  };
}

/** One answer for all: what became of a session is nobody's business but its holder's. */
export function invalidRefreshToken(): AppError {
  return new AppError("invalid_refresh_token", "The refresh token is invalid, expired or revoked.");
}
