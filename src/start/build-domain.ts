import type { Config } from "../config/config.ts";
import type { Audit } from "../domain/audit/audit.ts";
import { type AuditTrail, createAuditTrail } from "../domain/audit/audit-trail.ts";
import { createAuditTrailStore } from "../domain/audit/audit-trail-store.ts";
import { createNameHmac } from "../domain/audit/name-hmac.ts";
import { type Clients, createClients } from "../domain/client/clients.ts";
import { createClientStore } from "../domain/client/client-store.ts";
import { createDeviceTokens, type DeviceTokens } from "../domain/device/device-tokens.ts";
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
import { createDecoys } from "../domain/password/decoys.ts";
import { createSessions, type Sessions } from "../domain/session/sessions.ts";
import { createSessionStore } from "../domain/session/session-store.ts";
import { createGuesses } from "../domain/throttle/guesses.ts";
import { createRecordThrottled } from "../domain/throttle/record-throttled.ts";
import type { Throttle } from "../domain/throttle/throttle.ts";
import { type ClientPolicy, throttleClients } from "../domain/throttle/throttled-clients.ts";
import { createAccessTokenIssuer } from "../domain/token/access-token.ts";
import { type AuthenticateBearer, createBearerAuthentication } from "../domain/token/authenticate-bearer.ts";
import { createIntrospection, type Introspect } from "../domain/token/introspect.ts";
import { createRevocation, type RevokeToken } from "../domain/token/revoke.ts";
import { createRevokedTokenStore } from "../domain/token/revoked-token-store.ts";
import { createAccessTokenVerifier } from "../domain/token/verify-access-token.ts";
import type { Log } from "../ops/logger.ts";
import { readClock } from "../postgres/clock.ts";
import type { Database } from "../postgres/pool.ts";
import type { UserParts } from "./user-parts.ts";

/** What the service can do, whoever asks. */
export interface Domain {
  readonly secretKeys: SecretKeys;
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
  /** Ends what runs in the background. */
  stop(): void;
}

const decoyPeriodMs = 300_000;
const sweepPeriodMs = 3_600_000;
// A dropped key is refused, and a new one known, after two of these at most.
const keyPeriodMs = 1_000;

/** Builds the domain on a database, bottom up, and starts what it does in the background. */
export async function buildDomain(
  config: Config,
  log: Log,
  db: Database,
  secretKeys: SecretKeys,
  { hasher, users }: UserParts,
  audit: Audit,
  throttle: Throttle,
): Promise<Domain> {
  const { issuer, audience } = config;
  const keys = await loadSigningKeys({
    store: createSigningKeyStore(db),
    secretKeys,
    algorithm: config.signingAlgorithm,
    lifetimeSeconds: seconds(config.signingKeyLifetimeMs),
    audit,
  });
  const clients = createClients({ store: createClientStore(db), audit, builtin: config.builtinClient });
  const accessTokens = createAccessTokenIssuer({
    issuer,
    audience,
    ttlSeconds: seconds(config.accessTokenTtlMs),
    keys,
  });
  const sessions = createSessions({
    store: createSessionStore(db),
    secretKeys,
    idleTtlSeconds: seconds(config.sessionIdleTtlMs),
    maxTtlSeconds: seconds(config.sessionMaxTtlMs),
    graceMs: config.refreshGraceMs,
    perUserMax: config.sessionsPerUserMax,
    audit,
    events: {
      onReuse: (session) =>
        log.warn(logged(session), "a refresh token was used again after its grace; its session has ended"),
      onCatchUp: (session) =>
        log.warn(logged(session), "a refresh token is newer than the store, which has lost a write"),
    },
  });

  const decoys = createDecoys(secretKeys.current.derive("name"), hasher.format);
  const refreshDecoys = () =>
    users.refreshDecoys(decoys).catch(warn(log, "the hash formats in use could not be counted"));
  await refreshDecoys();
  const verify = createAccessTokenVerifier({ issuer, keys });
  const revoked = createRevokedTokenStore(db);
  const sweep = () =>
    Promise.all([sessions.sweep(), revoked.deleteExpired()]).catch(
      warn(log, "what is long dead could not be deleted"),
    );
  const keysNotSeen = warnOnce(log, "the signing keys could not be looked at again");
  const refreshKeys = () => keys.refresh().then(keysNotSeen.over, keysNotSeen.warn);
  const timers = [
    setInterval(() => void refreshDecoys(), decoyPeriodMs).unref(),
    setInterval(() => void sweep(), sweepPeriodMs).unref(),
    setInterval(() => void refreshKeys(), keyPeriodMs).unref(),
  ];

  const nameHmac = createNameHmac(secretKeys.current.derive("audit-name"));
  const devices = createDeviceTokens({ secretKeys, ttlMs: config.deviceTokenTtlMs });
  const guesses = createGuesses(throttle, createRecordThrottled(audit, nameHmac));
  const limited = (policy: ClientPolicy): Clients => throttleClients(clients, throttle, policy);
  const common = { users, hasher, sessions, accessTokens, guesses, audit };
  const forLogin = { decoys, devices, recordFailure: createRecordFailedLogin(audit, nameHmac) };
  const onRehashFailed = warn(log, "a password hash could not be brought up to date");
  const now = (): Promise<number> => readClock(db);
  return {
    secretKeys,
    clients,
    keys,
    sessions,
    devices,
    login: createLogin({ ...common, ...forLogin, clients: limited("login-client"), onRehashFailed }),
    refresh: createRefresh({ clients: limited("refresh-client"), sessions, accessTokens }),
    changePassword: createChangePassword({ ...common, clients }),
    clientCredentials: createClientCredentialsGrant({ clients: limited("token-client"), accessTokens, now }),
    introspect: createIntrospection({ clients: limited("introspect-client"), verify, revoked, sessions }),
    revoke: createRevocation({ clients: limited("revoke-client"), verify, revoked, sessions, audit }),
    authenticate: createBearerAuthentication({ verify, audience, sessions }),
    auditTrail: createAuditTrail(createAuditTrailStore(db)),
    stop() {
      for (const timer of timers) clearInterval(timer);
    },
  };
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}

function logged({ id, userId }: { readonly id: string; readonly userId: string }): Record<string, string> {
  return { session_id: id, user_id: userId };
}

/** For work in the background that is tried again: its failure is told and not thrown. */
function warn(log: Log, message: string): (error: unknown) => void {
  return (error) => log.warn({ err: error }, message);
}

/** The same for work that is tried again every second: told once, until it has succeeded. */
function warnOnce(
  log: Log,
  message: string,
): {
  readonly warn: (error: unknown) => void;
  readonly over: () => void;
} {
  let told = false;
  return {
    warn(error) {
      if (!told) log.warn({ err: error }, message);
      told = true;
    },
    over() {
      told = false;
    },
  };
}
