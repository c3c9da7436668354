import type { Audit } from "../audit/audit.ts";
import { byAnyone } from "../audit/audit-event.ts";
import type { Authenticate, Authenticated } from "../authentication/authenticate.ts";
import { type RecordFailedLogin, wrongCredentials } from "../authentication/failed-login.ts";
import { ownerOf } from "../authentication/device-owner.ts";
import { type Attempt, nextStep } from "../authentication/next-step.ts";
import { type Audiences, narrowAudiences } from "../client/audiences.ts";
import type { Client } from "../client/client.ts";
import { type Clients, requireGrant } from "../client/clients.ts";
import { AppError } from "../../errors/app-error.ts";
import { grantScopes } from "../client/scope.ts";
import type { DeviceTokens } from "../known-device/device-tokens.ts";
import type { RoleScopes } from "../role/role-scopes.ts";
import type { Origin } from "../session/session.ts";
import type { IssuedSession, Sessions } from "../session/sessions.ts";
import type { AccessTokenIssuer } from "../token/access-token.ts";
import { issueTokens } from "../token/issue-tokens.ts";
import type { Grant, TokenRequest } from "./grants.ts";
import { requireFields } from "./require-fields.ts";

/** What the password grant is made of. */
export interface PasswordGrantDeps {
  readonly clients: Pick<Clients, "authenticate">;
  readonly authenticate: Authenticate;
  readonly sessions: Pick<Sessions, "begin">;
  readonly accessTokens: AccessTokenIssuer;
  readonly roleScopes: RoleScopes;
  readonly audiences: Pick<Audiences, "ofUsers">;
  readonly devices: Pick<DeviceTokens, "issue">;
  readonly audit: Pick<Audit, "recordCounted">;
  readonly recordFailure: RecordFailedLogin;
}

/**
 * Signs a user in with a password (RFC 6749 section 4.3): the client, the user, a session, tokens.
 *
 * @returns the grant. It throws AppError: invalid_client, unauthorized_client, invalid_scope, invalid_target,
 *   validation_failed,
 *   invalid_credentials, account_*, password_change_required, rate_limited, overloaded, unavailable
 */
export function createPasswordGrant(deps: PasswordGrantDeps): Grant {
  return async (request) => {
    const { username, password, origin } = request;
    requireFields({ username, password });
    const client = await deps.clients.authenticate(request.client, origin);
    requirePasswordClient(deps, client, origin);
    const asked = grantScopes(request.scope, client);
    const audiences = narrowAudiences(deps.audiences.ofUsers(client), request.resources);
    const authenticated = await deps.authenticate({ ...request, client });
    const { methods, found } = authenticated;
    const scopes = await deps.roleScopes.grant(asked, found.user.roles);
    const attempt: Attempt = { user: found.user, methods, client, scopes };
    switch (nextStep(attempt).kind) {
      case "change_password": {
        const reason = "password_change_required";
        await deps.recordFailure({ username, client, origin, user: found.user, reason });
        throw new AppError(reason, "The password is right, and has to be changed before it signs in.");
      }
      case "issue": {
        const session = await begin(deps, attempt, authenticated, request);
        authenticated.renew();
        const tokens = issueTokens(deps.accessTokens, session, client, { asked, scopes, audiences });
        const remember = request.rememberDevice || request.deviceToken !== "";
        return remember ? { ...tokens, deviceToken: deps.devices.issue(ownerOf(found)) } : tokens;
      }
    }
  };
}

/** No password is hashed for these, so that a caller could cause any number: they are counted. */
function requirePasswordClient({ audit }: PasswordGrantDeps, client: Client, origin: Origin): void {
  try {
    requireGrant(client, "password");
  } catch (error) {
    const event = { type: "login.failed", clientId: client.id, reason: "unauthorized_client" } as const;
    audit.recordCounted({ ...event, ...byAnyone(origin) }, `${client.id} ${origin.clientAddress}`);
    throw error;
  }
}

async function begin(
  deps: PasswordGrantDeps,
  { user, methods, client, scopes }: Attempt,
  { found: { sessionEpoch } }: Authenticated,
  { username, origin }: TokenRequest,
): Promise<IssuedSession> {
  const session = await deps.sessions.begin({ user, sessionEpoch, amr: methods, client, scopes, origin });
  if (session !== null) return session;
  // A change of password, a suspension, a revocation or the client's deletion came in between: this
  // password is no longer known to be good.
  await deps.recordFailure({ username, client, origin, user, reason: "changed_meanwhile" });
  throw wrongCredentials();
}
