import type { Config } from "../config/config.ts";
import { type Clients, createClients } from "../domain/client/clients.ts";
import { createClientStore } from "../domain/client/client-store.ts";
import { createSecretKeys } from "../domain/key/secret-keys.ts";
import { createSigningKeyStore } from "../domain/key/signing-key-store.ts";
import { loadSigningKeys, type SigningKeys } from "../domain/key/signing-keys.ts";
import { type ChangePassword, createChangePassword } from "../domain/login/change-password.ts";
import {
  createClientCredentialsGrant,
  type GrantClientCredentials,
} from "../domain/login/client-credentials.ts";
import { createLogin, type Login } from "../domain/login/login.ts";
import { createRefresh, type Refresh } from "../domain/login/refresh.ts";
import { createDecoys } from "../domain/password/decoys.ts";
import { createSessions, type Sessions } from "../domain/session/sessions.ts";
import { createSessionStore } from "../domain/session/session-store.ts";
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
  /** Ends what runs in the background. */
  stop(): void;
}

const decoyPeriodMs = 300_000;
const sweepPeriodMs = 3_600_000;
const keyPeriodMs = 30_000;

/** Builds the domain on a database, bottom up, and starts what it does in the background. */
export async function buildDomain(
  config: Config,
  log: Log,
  db: Database,
  secrets: readonly string[],
  { hasher, users }: UserParts,
): Promise<Domain> {
  const { issuer, audience } = config;
  const secretKeys = createSecretKeys(secrets);
  const keys = await loadSigningKeys({
    store: createSigningKeyStore(db),
    secretKeys,
    algorithm: config.signingAlgorithm,
    lifetimeSeconds: seconds(config.signingKeyLifetimeMs),
  });
  const clients = createClients({ store: createClientStore(db), builtin: config.builtinClient });
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
  const refreshKeys = () => keys.refresh().catch(warn(log, "the signing keys could not be looked at again"));
  const timers = [
    setInterval(() => void refreshDecoys(), decoyPeriodMs).unref(),
    setInterval(() => void sweep(), sweepPeriodMs).unref(),
    setInterval(() => void refreshKeys(), keyPeriodMs).unref(),
  ];

  const onRehashFailed = warn(log, "a password hash could not be brought up to date");
  return {
    clients,
    keys,
    sessions,
    login: createLogin({ clients, users, hasher, decoys, sessions, accessTokens, onRehashFailed }),
    refresh: createRefresh({ clients, sessions, accessTokens }),
    changePassword: createChangePassword({ clients, users, hasher, sessions, accessTokens }),
    clientCredentials: createClientCredentialsGrant({ clients, accessTokens, now: () => readClock(db) }),
    introspect: createIntrospection({ clients, verify, revoked, sessions }),
    revoke: createRevocation({ clients, verify, revoked, sessions }),
    authenticate: createBearerAuthentication({ verify, audience, sessions }),
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
