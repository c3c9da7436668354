import type { Audiences } from "../client/audiences.ts";
import type { Client } from "../client/client.ts";
import type { Clients } from "../client/clients.ts";
import type { Administrator } from "../role/administrator.ts";
import { rolesOfScopes } from "../role/administrative-scope.ts";
import type { Permission } from "../role/permissions.ts";
import { requirePermission } from "../role/refusal.ts";
import type { Roles } from "../role/roles.ts";
import type { Sessions } from "../session/sessions.ts";
import type { AccessTokenClaims } from "./access-token-claims.ts";
import { invalidToken, requireOwnAudience } from "./authenticate-bearer.ts";
import type { RevokedTokenStore } from "./revoked-token-store.ts";
import type { VerifyAccessToken } from "./verify-access-token.ts";

/**
 * Finds who administers with an access token, and requires a permission. Everything is asked of the store, now: what
 * any instance has changed before is known.
 *
 * @throws AppError invalid_token, permission_denied, unavailable
 */
export type AuthenticateAdministrator = (token: string, permission: Permission) => Promise<Administrator>;

/** @param deps as for bearers, and the clients, which administer by themselves with the grant client_credentials */
export function createAdministratorAuthentication(deps: {
  readonly verify: VerifyAccessToken;
  readonly audiences: Pick<Audiences, "own">;
  readonly sessions: Pick<Sessions, "readLiveUser">;
  readonly clients: Pick<Clients, "findNow">;
  readonly revoked: Pick<RevokedTokenStore, "has">;
  readonly roles: Pick<Roles, "permissionsOf">;
}): AuthenticateAdministrator {
  const findClient = async (claims: AccessTokenClaims): Promise<Client> => {
    const [client, isRevoked] = await Promise.all([
      deps.clients.findNow(claims.clientId),
      deps.revoked.has(claims.id),
    ]);
    // A client that took the id over has nothing to do with what another was given.
    const lives = client !== null && client.registration === claims.clientRegistration && !isRevoked;
    if (!lives) throw invalidToken("dead");
    return client;
  };

  const find = async (claims: AccessTokenClaims): Promise<Administrator> => {
    if (claims.sessionId !== null) {
      const user = await deps.sessions.readLiveUser(claims.sessionId, claims.subject);
      if (user === null) throw invalidToken("dead");
      const permissions = await deps.roles.permissionsOf(user.roles);
      return { kind: "user", id: user.id, userId: user.id, permissions };
    }
    const client = await findClient(claims);
    const roles = rolesOfScopes(claims.scopes.filter((scope) => client.scopes.includes(scope)));
    return {
      kind: "client",
      id: client.id,
      userId: null,
      permissions: await deps.roles.permissionsOf(roles),
    };
  };

  return async (token, permission) => {
    const claims = await deps.verify(token);
    if (claims === null) throw invalidToken("dead");
    requireOwnAudience(claims, deps.audiences.own);
    const administrator = await find(claims);
    requirePermission(administrator.permissions, permission);
    return administrator;
  };
}
