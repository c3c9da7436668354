import type { Config } from "../config/config.ts";
import { type AuditTrail, createAuditTrail } from "../domain/audit/audit-trail.ts";
import { createAuditTrailStore } from "../domain/audit/audit-trail-store.ts";
import { createNameHmac, type NameHmac } from "../domain/audit/name-hmac.ts";
import { type Clients, createClients } from "../domain/client/clients.ts";
import { createClientStore } from "../domain/client/client-store.ts";
import { type Events, noEvents } from "../domain/events.ts";
import { createSecretKeys, type SecretKeys } from "../domain/key/secret-keys.ts";
import { createSigningKeyStore } from "../domain/key/signing-key-store.ts";
import {
  createSigningKeyAdmin,
  loadSigningKeys,
  type SigningKeyAdmin,
  type SigningKeys,
} from "../domain/key/signing-keys.ts";
import { createDeviceTokens, type DeviceTokens } from "../domain/known-device/device-tokens.ts";
import { createDecoys, type Decoys } from "../domain/password/decoys.ts";
import { createPasswordHasher, type PasswordHasher } from "../domain/password/password-hasher.ts";
import { createPeppers } from "../domain/password/peppers.ts";
import { createSessionStore } from "../domain/session/session-store.ts";
import type { Sessions } from "../domain/session/sessions.ts";
import { createRevokedTokenStore, type RevokedTokenStore } from "../domain/token/revoked-token-store.ts";
import { createExportUsers, type ExportUsers } from "../domain/user/moving/export-users.ts";
import { createImportUsers, type ImportUsers } from "../domain/user/moving/import-users.ts";
import { createMovingStore } from "../domain/user/moving/moving-store.ts";
import { createPrepareUser } from "../domain/user/moving/prepare-user.ts";
import { createUserStore } from "../domain/user/user-store.ts";
import { createUsers, type Users } from "../domain/user/users.ts";
import { wholeSeconds } from "../lib/whole-seconds.ts";
import type { Database } from "../postgres/pool.ts";
import type { RedisClient } from "../redis/redis.ts";
import { type Administration, buildAdministration } from "./build-administration.ts";
import { buildAudit, type KeptAudit } from "./build-audit.ts";
import { buildSessions, type KeptSessions } from "./build-sessions.ts";
import { buildThrottle, type ThrottleParts } from "./build-throttle.ts";
import type { Commons } from "./commons.ts";

/** What the core is built on. */
export interface CoreParts {
  readonly db: Database;
  /** The entries of SECRET_KEY, the current one first. */
  readonly secrets: readonly string[];
  /** What the instance has once. */
  readonly commons: Commons;
  /** The Redis of the sessions and that of the limits; null if there is none. By default there is none. */
  readonly redis?: { readonly sessions: RedisClient | null; readonly throttles: RedisClient | null };
  /** Nobody hears of what happens by default. */
  readonly events?: Events;
}

/** All nouns, with what they are made of: the same ones for the service and for the commands. */
export interface Core extends ThrottleParts, Administration {
  readonly db: Pick<Database, "transaction">;
  readonly secretKeys: SecretKeys;
  readonly audit: KeptAudit;
  readonly auditTrail: AuditTrail;
  /** What the audit trail holds in place of a name that no user has. */
  readonly nameHmac: NameHmac;
  readonly hasher: PasswordHasher;
  readonly decoys: Decoys;
  readonly users: Users;
  /** Brings users in from a file, and takes them out. */
  readonly importUsers: ImportUsers;
  readonly exportUsers: ExportUsers;
  readonly devices: DeviceTokens;
  readonly clients: Clients;
  readonly sessions: Sessions;
  readonly unsaved: KeptSessions["unsaved"];
  readonly revoked: RevokedTokenStore;
  /** What operators do to the signing keys. */
  readonly keys: SigningKeyAdmin;
  /** Loads the keys that sign and verify. A key is made if there is none. */
  loadKeys(): Promise<SigningKeys>;
}

/** Builds the nouns, each on those before it. Nothing runs by itself, and no store is asked yet. */
export function buildCore(config: Config, parts: CoreParts): Core {
  const { db, commons, redis = { sessions: null, throttles: null }, events = noEvents } = parts;
  const secretKeys = createSecretKeys(parts.secrets);

  // The ends of sessions count a user's counter up, and changes of a user end sessions.
  const userStore = createUserStore(db);
  const sessionStore = createSessionStore(db);

  const audit = buildAudit(db, events, config.auditRetentionMs);
  const auditTrail = createAuditTrail(createAuditTrailStore(db));
  const nameHmac = createNameHmac(secretKeys.current.derive("audit-name"));

  const peppers = createPeppers(config.passwordPeppers);
  const hasher = createPasswordHasher({
    cost: config.argon2,
    peppers,
    hashing: commons.hashing,
    events,
  });
  const decoys = createDecoys(secretKeys.current.derive("name"), hasher.format);
  const users = createUsers({ db, store: userStore, sessions: sessionStore, hasher, audit });
  const moving = { db, store: createMovingStore(), audit };
  const prepare = createPrepareUser({ key: secretKeys.current.derive("import-id"), peppers });
  const importUsers = createImportUsers({ ...moving, prepare });
  const devices = createDeviceTokens({ secretKeys, ttlMs: config.deviceTokenTtlMs });

  const clients = createClients({
    store: createClientStore(db),
    audit,
    builtin: config.builtinClient,
    forgetElsewhere: (id) => commons.forget({ kind: "client", id }),
  });
  const { sessions, unsaved } = buildSessions(config, {
    db,
    store: sessionStore,
    users: userStore,
    redis: redis.sessions,
    secretKeys,
    audit,
    forgetElsewhere: (id) => commons.forget({ kind: "user", id }),
    events,
  });
  const administration = buildAdministration({
    db,
    users: userStore,
    sessions: sessionStore,
    hasher,
    importUsers,
    audit,
    forgetUser: (id) => sessions.forgetUser(id),
    forgetClient: (id) => clients.forget(id),
  });
  const revoked = createRevokedTokenStore(db);
  const keyDeps = {
    db,
    store: createSigningKeyStore(db),
    secretKeys,
    algorithm: config.signingAlgorithm,
    lifetimeSeconds: wholeSeconds(config.signingKeyLifetimeMs),
    audit,
  };

  return {
    ...administration,
    ...buildThrottle(config, { secretKeys, redis: redis.throttles, commons, events }),
    db,
    secretKeys,
    audit,
    auditTrail,
    nameHmac,
    hasher,
    decoys,
    users,
    importUsers,
    exportUsers: createExportUsers(moving),
    devices,
    clients,
    sessions,
    unsaved,
    revoked,
    keys: createSigningKeyAdmin(keyDeps),
    loadKeys: () => loadSigningKeys(keyDeps),
  };
}
