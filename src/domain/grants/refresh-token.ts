import { AppError } from "../../errors/app-error.ts";
import { type Audiences, narrowAudiences } from "../client/audiences.ts";
import { type Clients, requireGrant } from "../client/clients.ts";
import { narrowScopes } from "../client/scope.ts";
import type { RoleScopes } from "../role/role-scopes.ts";
import type { Sessions } from "../session/sessions.ts";
import type { AccessTokenIssuer } from "../token/access-token.ts";
import { issueTokens } from "../token/issue-tokens.ts";
import type { Grant } from "./grants.ts";
import { requireFields } from "./require-fields.ts";

/**
 * Obtains new tokens for a refresh token (RFC 6749 section 6). Whatever can fail comes before the counter moves:
 * the token's tag (no store is asked for a forged one), the client, the session and its user, the scope. Signing
 * needs nothing but the key, which is at hand.
 *
 * @returns the grant. It throws AppError: validation_failed, invalid_client, unauthorized_client,
 *   invalid_refresh_token, invalid_scope, invalid_target, unavailable
 */
export function createRefreshTokenGrant(deps: {
  readonly clients: Pick<Clients, "claimedId" | "authenticate">;
  readonly sessions: Pick<Sessions, "parseToken" | "findByToken" | "refresh">;
  readonly accessTokens: AccessTokenIssuer;
  readonly roleScopes: RoleScopes;
  readonly audiences: Pick<Audiences, "ofUsers">;
}): Grant {
  const { clients, sessions } = deps;
  return async (request) => {
    requireFields({ refresh_token: request.refreshToken });
    const token = sessions.parseToken(request.refreshToken, clients.claimedId(request.client));
    if (token === null) throw invalidRefreshToken();
    const client = await clients.authenticate(request.client, request.origin);
    requireGrant(client, "refresh_token");
    const presented = await sessions.findByToken(token);
    if (presented === null) throw invalidRefreshToken();
    const asked = narrowScopes(request.scope, presented.scopes);
    const allowed = asked.filter((scope) => client.scopes.includes(scope));
    const scopes = await deps.roleScopes.grant(allowed, presented.user.roles);
    const audiences = narrowAudiences(deps.audiences.ofUsers(client), request.resources);
    const session = await sessions.refresh(presented, client.refreshGraceMs, request.origin);
    if (session === null) throw invalidRefreshToken();
    return issueTokens(deps.accessTokens, session, client, { asked, scopes, audiences });
  };
}

/** One answer for all: what became of a session is nobody's business but its holder's. */
export function invalidRefreshToken(): AppError {
  return new AppError("invalid_refresh_token", "The refresh token is invalid, expired or revoked.");
}
