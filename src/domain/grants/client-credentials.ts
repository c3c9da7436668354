import { type Audiences, narrowAudiences } from "../client/audiences.ts";
import { type Clients, requireGrant } from "../client/clients.ts";
import { grantScopes } from "../client/scope.ts";
import type { AccessTokenIssuer } from "../token/access-token.ts";
import type { Grant } from "./grants.ts";

/**
 * The client credentials grant (RFC 6749 section 4.4): a client that acts for itself.
 *
 * @param deps `now`: the store's clock, in seconds since the epoch
 * @returns the grant. It throws AppError: invalid_client, unauthorized_client, invalid_scope, invalid_target,
 *   unavailable
 */
export function createClientCredentialsGrant(deps: {
  readonly clients: Pick<Clients, "authenticate">;
  readonly accessTokens: AccessTokenIssuer;
  readonly audiences: Pick<Audiences, "ofClient">;
  now(): Promise<number>;
}): Grant {
  return async (request) => {
    const client = await deps.clients.authenticate(request.client, request.origin);
    requireGrant(client, "client_credentials");
    const scopes = grantScopes(request.scope, client);
    const { token, expiresIn } = deps.accessTokens.issue({
      subject: client.id,
      clientId: client.id,
      clientRegistration: client.registration,
      scopes,
      audiences: narrowAudiences(deps.audiences.ofClient(client), request.resources),
      issuedAt: await deps.now(),
      ttlSeconds: client.accessTokenTtlSeconds,
      session: null,
    });
    return { accessToken: token, refreshToken: null, expiresIn, userId: null, scope: null };
  };
}
