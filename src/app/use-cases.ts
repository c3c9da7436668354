import type { Config } from "../config/config.ts";
import type { AuditTrail } from "../domain/audit/audit-trail.ts";
import type { Clients } from "../domain/client/clients.ts";
import type { SigningKeys } from "../domain/key/signing-keys.ts";
import { type ChangePassword, createChangePassword } from "../domain/login/change-password.ts";
import {
  createClientCredentialsGrant,
  type GrantClientCredentials,
} from "../domain/login/client-credentials.ts";
import { createRecordFailedLogin } from "../domain/login/failed-login.ts";
import { createLogin, type Login } from "../domain/login/login.ts";
import { createRefresh, type Refresh } from "../domain/login/refresh.ts";
import type { Sessions } from "../domain/session/sessions.ts";
import { createGuesses } from "../domain/throttle/guesses.ts";
import { createRecordThrottled } from "../domain/throttle/record-throttled.ts";
import { type ClientPolicy, throttleClients } from "../domain/throttle/throttled-clients.ts";
import { createAccessTokenIssuer } from "../domain/token/access-token.ts";
import { type AuthenticateBearer, createBearerAuthentication } from "../domain/token/authenticate-bearer.ts";
import { createIntrospection, type Introspect } from "../domain/token/introspect.ts";
import { createRevocation, type RevokeToken } from "../domain/token/revoke.ts";
import { createAccessTokenVerifier } from "../domain/token/verify-access-token.ts";
import { wholeSeconds } from "../lib/whole-seconds.ts";
import { asKind } from "../lib/work.ts";
import type { Core } from "./core.ts";
import type { CoreObservers } from "./observers.ts";

/** What callers ask the service to do. */
export interface UseCases {
  readonly login: Login;
  readonly refresh: Refresh;
  readonly changePassword: ChangePassword;
  readonly clientCredentials: GrantClientCredentials;
  readonly introspect: Introspect;
  readonly revoke: RevokeToken;
  readonly authenticate: AuthenticateBearer;
  readonly clients: Clients;
  readonly sessions: Sessions;
  readonly auditTrail: AuditTrail;
  readonly keys: SigningKeys;
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
  readonly observer: CoreObservers["tokens"];
}

/** Builds the use cases on the nouns. */
export function buildUseCases(config: Config, core: Core, { keys, clock, observer }: UseCaseParts): UseCases {
  const { issuer, audience } = config;
  const { db, users, hasher, clients, sessions, revoked, audit, auditTrail, throttle, nameHmac } = core;
  const accessTokens = createAccessTokenIssuer({
    onRolesLeftOut: () => observer.onRolesLeftOut(),
    issuer,
    audience,
    ttlSeconds: wholeSeconds(config.accessTokenTtlMs),
    keys,
  });
  const verify = createAccessTokenVerifier({ issuer, keys, now: () => clock.estimate() });
  const guesses = createGuesses(throttle, createRecordThrottled(audit, nameHmac));
  const limited = (policy: ClientPolicy): Clients => throttleClients(clients, throttle, policy);

  const common = { users, hasher, sessions, accessTokens, guesses, audit };
  const login = createLogin({
    ...common,
    clients: limited("login-client"),
    decoys: core.decoys,
    devices: core.devices,
    recordFailure: createRecordFailedLogin(audit, nameHmac),
    onRehashFailed: (error) => observer.onRehashFailed(error),
  });
  const refresh = createRefresh({ clients: limited("refresh-client"), sessions, accessTokens });
  const changePassword = createChangePassword({ ...common, clients });
  return {
    login: asKind("login", login),
    refresh: asKind("refresh", refresh),
    changePassword: asKind("login", changePassword),
    clientCredentials: createClientCredentialsGrant({
      clients: limited("token-client"),
      accessTokens,
      now: () => clock.read(),
    }),
    introspect: createIntrospection({ clients: limited("introspect-client"), verify, revoked, sessions }),
    revoke: createRevocation({ db, clients: limited("revoke-client"), verify, revoked, sessions, audit }),
    authenticate: createBearerAuthentication({ verify, audience, sessions }),
    clients,
    sessions,
    auditTrail: {
      ...auditTrail,
      list: asKind("search", (...asked: Parameters<AuditTrail["list"]>) => auditTrail.list(...asked)),
    },
    keys,
  };
}
