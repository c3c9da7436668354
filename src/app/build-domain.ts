import type { Config } from "../config/config.ts";
import type { Audit } from "../domain/audit/audit.ts";
import { type AuditTrail, createAuditTrail } from "../domain/audit/audit-trail.ts";
import { createAuditTrailStore } from "../domain/audit/audit-trail-store.ts";
import { createNameHmac } from "../domain/audit/name-hmac.ts";
import { type Clients, createClients } from "../domain/client/clients.ts";
import { createClientStore } from "../domain/client/client-store.ts";
import { createDeviceTokens, type DeviceTokens } from "../domain/known-device/device-tokens.ts";
import type { SecretKeys } from "../domain/key/secret-keys.ts";
import { createSigningKeyStore } from "../domain/key/signing-key-store.ts";
import { loadSigningKeys, type SigningKeys } from "../domain/key/signing-keys.ts";
import { type ChangePassword, createChangePassword } from "../domain/login/change-password.ts";
import {
  createClientCredentialsGrant,
  type GrantClientCredentials,
} from "../domain/login/client-credentials.ts";
import { createRecordFailedLogin } from "../domain/login/failed-login.ts";
import { createLogin, type Login } from "../domain/login/login.ts";
import { createRefresh, type Refresh } from "../domain/login/refresh.ts";
import { createDecoys, type Decoys } from "../domain/password/decoys.ts";
import type { SessionObserver } from "../domain/session/session-observer.ts";
import type { Sessions } from "../domain/session/sessions.ts";
import { createGuesses } from "../domain/throttle/guesses.ts";
import { createRecordThrottled } from "../domain/throttle/record-throttled.ts";
import type { Throttle } from "../domain/throttle/throttle.ts";
import { type ClientPolicy, throttleClients } from "../domain/throttle/throttled-clients.ts";
import { createAccessTokenIssuer } from "../domain/token/access-token.ts";
import { type AuthenticateBearer, createBearerAuthentication } from "../domain/token/authenticate-bearer.ts";
import { createIntrospection, type Introspect } from "../domain/token/introspect.ts";
import { createRevocation, type RevokeToken } from "../domain/token/revoke.ts";
import { createRevokedTokenStore, type RevokedTokenStore } from "../domain/token/revoked-token-store.ts";
import { createAccessTokenVerifier } from "../domain/token/verify-access-token.ts";
import type { Users } from "../domain/user/users.ts";
import { wholeSeconds } from "../lib/whole-seconds.ts";
import { asKind } from "../lib/work.ts";
import type { Log } from "../ops/logger.ts";
import { readClock } from "../postgres/clock.ts";
import type { Database } from "../postgres/pool.ts";
import type { RedisClient } from "../redis/redis.ts";
import { buildSessions, type ServiceSessions } from "./build-sessions.ts";
import type { UserParts } from "./user-parts.ts";
import { warn, warnRarely } from "./warn.ts";

/** What the service can do, whoever asks. */
export interface Domain {
  readonly clients: Clients;
  readonly keys: SigningKeys;
  readonly sessions: Sessions;
  readonly login: Login;
  readonly refresh: Refresh;
  readonly changePassword: ChangePassword;
  readonly clientCredentials: GrantClientCredentials;
  readonly introspect: Introspect;
  readonly revoke: RevokeToken;
  readonly authenticate: AuthenticateBearer;
  readonly auditTrail: AuditTrail;
  readonly devices: DeviceTokens;
  readonly users: Users;
  readonly decoys: Decoys;
  readonly revoked: RevokedTokenStore;
  readonly unsaved: ServiceSessions["unsaved"];
}

/** What the domain is built on. */
export interface DomainParts {
  readonly db: Database;
  /** Null where Postgres alone decides. */
  readonly redis: RedisClient | null;
  readonly secretKeys: SecretKeys;
  readonly users: UserParts;
  readonly audit: Audit;
  readonly throttle: Throttle;
  /** The database's time, as far as it is known, in milliseconds since the epoch. */
  readonly storeNow: () => number;
  /** Told of what happens to sessions, beside the log. */
  readonly sessionObserver: SessionObserver;
}

/** Builds the domain on a database, bottom up. Nothing runs yet: see jobs.ts. */
export async function buildDomain(config: Config, log: Log, parts: DomainParts): Promise<Domain> {
  const { issuer, audience } = config;
  const { db, secretKeys, audit, throttle } = parts;
  const { hasher, users } = parts.users;
  const keys = await loadSigningKeys({
    store: createSigningKeyStore(db),
    secretKeys,
    algorithm: config.signingAlgorithm,
    lifetimeSeconds: wholeSeconds(config.signingKeyLifetimeMs),
    audit,
  });
  const clients = createClients({ store: createClientStore(db), audit, builtin: config.builtinClient });
  const rolesLeftOut = warnRarely(log, "access tokens were issued without roles: their users have too many");
  const accessTokens = createAccessTokenIssuer({
    onRolesLeftOut: () => rolesLeftOut("roles"),
    issuer,
    audience,
    ttlSeconds: wholeSeconds(config.accessTokenTtlMs),
    keys,
  });
  const { sessions, unsaved } = buildSessions(config, log, { ...parts, observer: parts.sessionObserver });

  const decoys = createDecoys(secretKeys.current.derive("name"), hasher.format);
  const verify = createAccessTokenVerifier({ issuer, keys, now: parts.storeNow });
  const revoked = createRevokedTokenStore(db);

  const nameHmac = createNameHmac(secretKeys.current.derive("audit-name"));
  const devices = createDeviceTokens({ secretKeys, ttlMs: config.deviceTokenTtlMs });
  const guesses = createGuesses(throttle, createRecordThrottled(audit, nameHmac));
  const limited = (policy: ClientPolicy): Clients => throttleClients(clients, throttle, policy);
  const common = { users, hasher, sessions, accessTokens, guesses, audit };
  const forLogin = { decoys, devices, recordFailure: createRecordFailedLogin(audit, nameHmac) };
  const onRehashFailed = warn(log, "a password hash could not be brought up to date");
  const now = (): Promise<number> => readClock(db);
  const trail = createAuditTrail(createAuditTrailStore(db));
  return {
    clients,
    keys,
    sessions,
    devices,
    login: asKind(
      "login",
      createLogin({ ...common, ...forLogin, clients: limited("login-client"), onRehashFailed }),
    ),
    refresh: asKind("refresh", createRefresh({ clients: limited("refresh-client"), sessions, accessTokens })),
    changePassword: asKind("login", createChangePassword({ ...common, clients })),
    clientCredentials: createClientCredentialsGrant({ clients: limited("token-client"), accessTokens, now }),
    introspect: createIntrospection({ clients: limited("introspect-client"), verify, revoked, sessions }),
    revoke: createRevocation({ clients: limited("revoke-client"), verify, revoked, sessions, audit }),
    authenticate: createBearerAuthentication({ verify, audience, sessions }),
    auditTrail: {
      ...trail,
      list: asKind("search", (...asked: Parameters<AuditTrail["list"]>) => trail.list(...asked)),
    },
    users,
    decoys,
    revoked,
    unsaved,
  };
}
