import type { Config } from "../config/config.ts";
import type { AuditTrail } from "../domain/audit/audit-trail.ts";
import { createAuthenticate } from "../domain/authentication/authenticate.ts";
import { type ChangePassword, createChangePassword } from "../domain/authentication/change-password.ts";
import { createReplacePassword, type ReplacePassword } from "../domain/authentication/replace-password.ts";
import { createPasswordFactor } from "../domain/authentication/factors/password.ts";
import { createRecordFailedLogin } from "../domain/authentication/failed-login.ts";
import { createAudiences } from "../domain/client/audiences.ts";
import type { Clients } from "../domain/client/clients.ts";
import type { ManageClients } from "../domain/client/manage-clients.ts";
import type { Events } from "../domain/events.ts";
import { createClientCredentialsGrant } from "../domain/grants/client-credentials.ts";
import { createGrants, type Grants } from "../domain/grants/grants.ts";
import { createPasswordGrant } from "../domain/grants/password.ts";
import { createRefreshTokenGrant } from "../domain/grants/refresh-token.ts";
import type { SigningKeyAdmin, SigningKeys } from "../domain/key/signing-keys.ts";
import type { Roles } from "../domain/role/roles.ts";
import type { Sessions } from "../domain/session/sessions.ts";
import { createGuesses } from "../domain/throttle/guesses.ts";
import { createRecordThrottled } from "../domain/throttle/record-throttled.ts";
import { type ClientPolicy, throttleClients } from "../domain/throttle/throttled-clients.ts";
import { createAccessTokenIssuer } from "../domain/token/access-token.ts";
import {
  type AuthenticateAdministrator,
  createAdministratorAuthentication,
} from "../domain/token/authenticate-administrator.ts";
import { type AuthenticateBearer, createBearerAuthentication } from "../domain/token/authenticate-bearer.ts";
import { createIntrospection, type Introspect } from "../domain/token/introspect.ts";
import { createRevocation, type RevokeToken } from "../domain/token/revoke.ts";
import { createAccessTokenVerifier } from "../domain/token/verify-access-token.ts";
import type { ManageUsers } from "../domain/user/manage-users.ts";
import { wholeSeconds } from "../lib/whole-seconds.ts";
import { asKind } from "../lib/work.ts";
import type { Core } from "./core.ts";

/** What callers ask the service to do. */
export interface UseCases {
  readonly grants: Grants;
  readonly changePassword: ChangePassword;
  readonly replacePassword: ReplacePassword;
  readonly introspect: Introspect;
  readonly revoke: RevokeToken;
  readonly authenticate: AuthenticateBearer;
  readonly administrate: AuthenticateAdministrator;
  readonly roles: Roles;
  readonly manageUsers: ManageUsers;
  readonly manageClients: ManageClients;
  readonly clients: Clients;
  readonly sessions: Sessions;
  readonly auditTrail: AuditTrail;
  readonly keys: SigningKeys;
  readonly keyAdmin: SigningKeyAdmin;
}

/** What the use cases are built on, beside the nouns. */
export interface UseCaseParts {
  /** The keys that sign and verify. */
  readonly keys: SigningKeys;
  readonly clock: {
    /** The database's time as far as it is known, in milliseconds since the epoch. */
    estimate(): number;
    /** The database's time, asked now, in seconds since the epoch. @throws AppError unavailable */
    read(): Promise<number>;
  };
  readonly events: Events;
}

/** Builds the use cases on the nouns. */
export function buildUseCases(config: Config, core: Core, { keys, clock, events }: UseCaseParts): UseCases {
  const { issuer } = config;
  const audiences = createAudiences(config.audience);
  const { db, users, hasher, clients, roles, roleScopes, sessions, revoked, audit, throttle, nameHmac } =
    core;
  const accessTokens = createAccessTokenIssuer({
    events,
    issuer,
    ttlSeconds: wholeSeconds(config.accessTokenTtlMs),
    keys,
  });
  const verify = createAccessTokenVerifier({ issuer, keys, now: () => clock.estimate() });
  const tokens = { verify, audiences, revoked, sessions };
  const guesses = createGuesses(throttle, createRecordThrottled(audit, nameHmac));
  const limited = (policy: ClientPolicy): Clients => throttleClients(clients, throttle, policy);

  const recordFailure = createRecordFailedLogin(audit, nameHmac);
  const password = createPasswordFactor({
    users,
    hasher,
    decoys: core.decoys,
    guesses,
    devices: core.devices,
    recordFailure,
    events,
  });
  const authenticate = createAuthenticate({ password, recordFailure });
  const passwordGrant = createPasswordGrant({
    clients: limited("login-client"),
    authenticate,
    sessions,
    accessTokens,
    roleScopes,
    audiences,
    devices: core.devices,
    audit,
    recordFailure,
  });
  const refreshTokenGrant = createRefreshTokenGrant({
    clients: limited("refresh-client"),
    sessions,
    accessTokens,
    roleScopes,
    audiences,
  });
  const passwords = { users, sessions, accessTokens, roleScopes, audiences };
  const changePassword = createChangePassword({ ...passwords, clients, hasher, guesses, audit });
  const loginClients = limited("login-client");
  const replacePassword = createReplacePassword({ ...passwords, clients: loginClients, authenticate });
  return {
    grants: createGrants({
      password: asKind("login", passwordGrant),
      refresh_token: asKind("refresh", refreshTokenGrant),
      client_credentials: createClientCredentialsGrant({
        clients: limited("token-client"),
        accessTokens,
        audiences,
        now: () => clock.read(),
      }),
    }),
    changePassword: asKind("login", changePassword),
    replacePassword: asKind("login", replacePassword),
    introspect: createIntrospection({ ...tokens, clients: limited("introspect-client") }),
    revoke: createRevocation({ db, clients: limited("revoke-client"), verify, revoked, sessions, audit }),
    authenticate: createBearerAuthentication(tokens),
    administrate: createAdministratorAuthentication({ ...tokens, clients, roles }),
    ...asSearches(core),
    clients,
    sessions,
    keys,
    keyAdmin: core.keys,
  };
}

/** What administrators read, with its lists counted as searches. */
function asSearches({
  roles,
  manageUsers,
  manageClients,
  auditTrail,
}: Core): Pick<UseCases, "roles" | "manageUsers" | "manageClients" | "auditTrail"> {
  const search = (...asked: Parameters<ManageUsers["search"]>) => manageUsers.search(...asked);
  const searchClients = (...asked: Parameters<ManageClients["search"]>) => manageClients.search(...asked);
  const list = (...asked: Parameters<AuditTrail["list"]>) => auditTrail.list(...asked);
  return {
    roles,
    manageUsers: { ...manageUsers, search: asKind("search", search) },
    manageClients: { ...manageClients, search: asKind("search", searchClients) },
    auditTrail: { ...auditTrail, list: asKind("search", list) },
  };
}
