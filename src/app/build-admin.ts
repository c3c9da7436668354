import type { Config } from "../config/config.ts";
import type { Audit } from "../domain/audit/audit.ts";
import { byOperator } from "../domain/audit/audit-event.ts";
import { type AuditTrail, createAuditTrail } from "../domain/audit/audit-trail.ts";
import { createAuditTrailStore } from "../domain/audit/audit-trail-store.ts";
import { createNameHmac, type NameHmac } from "../domain/audit/name-hmac.ts";
import { type Clients, createClients } from "../domain/client/clients.ts";
import { createClientStore } from "../domain/client/client-store.ts";
import { createSecretKeys } from "../domain/key/secret-keys.ts";
import { createSigningKeyStore } from "../domain/key/signing-key-store.ts";
import { createSigningKeyAdmin, type SigningKeyAdmin } from "../domain/key/signing-keys.ts";
import { sessionEnded } from "../domain/session/session-ended.ts";
import { createSessionStore, type SessionStore } from "../domain/session/session-store.ts";
import type { Users } from "../domain/user/users.ts";
import { createLazyHashEngine } from "../hashing/hash-engine.ts";
import { wholeSeconds } from "../lib/whole-seconds.ts";
import type { Database } from "../postgres/pool.ts";
import { openSecretKeys } from "./secret-keys.ts";
import { createCommandAudit } from "./build-audit.ts";
import { createUserParts } from "./user-parts.ts";

/** What operators do, beside the running service. */
export interface Admin {
  readonly users: Users;
  readonly clients: Pick<Clients, "list" | "create" | "rotateSecret" | "delete">;
  readonly sessions: SessionAdmin;
  readonly keys: SigningKeyAdmin;
  readonly auditTrail: AuditTrail;
  /** What stands in the audit trail for a name that no user has. */
  readonly nameHmac: NameHmac;
}

/** What operators do to a user's sessions. */
export interface SessionAdmin extends Pick<SessionStore, "listLive"> {
  /** Ends one of a user's live sessions; false where there is no such one. */
  end(userId: string, sessionId: string): Promise<boolean>;
  /** Ends all of a user's sessions, and those of logins that are under way. */
  endAll(userId: string): Promise<void>;
}

/** Builds what operators do on a database. */
export async function buildAdmin(config: Config, db: Database): Promise<Admin> {
  const audit = createCommandAudit(db);
  const secretKeys = createSecretKeys(await openSecretKeys(config));
  return {
    users: createUserParts(config, db, audit, createLazyHashEngine(config.argon2)).users,
    clients: createClients({ store: createClientStore(db), audit, builtin: config.builtinClient }),
    sessions: createSessionAdmin(createSessionStore(db), audit),
    keys: createSigningKeyAdmin({
      store: createSigningKeyStore(db),
      secretKeys,
      algorithm: config.signingAlgorithm,
      lifetimeSeconds: wholeSeconds(config.signingKeyLifetimeMs),
      audit,
    }),
    auditTrail: createAuditTrail(createAuditTrailStore(db)),
    nameHmac: createNameHmac(secretKeys.current.derive("audit-name")),
  };
}

function createSessionAdmin(store: SessionStore, audit: Audit): SessionAdmin {
  return {
    listLive: (userId) => store.listLive(userId),
    end: (userId, sessionId) =>
      store.endById(userId, sessionId, (ended, tx) =>
        audit.record(sessionEnded(ended, "revoked", byOperator), tx),
      ),
    endAll: (userId) =>
      store.endAll(userId, (_changed, tx) =>
        audit.record({ type: "sessions.ended", ...byOperator, userId, reason: "revoked" }, tx),
      ),
  };
}
