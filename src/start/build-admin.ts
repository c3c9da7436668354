import type { Config } from "../config/config.ts";
import type { Audit } from "../domain/audit/audit.ts";
import { type Clients, createClients } from "../domain/client/clients.ts";
import { createClientStore } from "../domain/client/client-store.ts";
import { createSecretKeys } from "../domain/key/secret-keys.ts";
import { createSigningKeyStore } from "../domain/key/signing-key-store.ts";
import { createSigningKeyAdmin, type SigningKeyAdmin } from "../domain/key/signing-keys.ts";
import { createSessionStore, type SessionStore } from "../domain/session/session-store.ts";
import type { Users } from "../domain/user/users.ts";
import type { Database } from "../postgres/pool.ts";
import { openSecretKeys } from "./secret-keys.ts";
import { createCommandAudit } from "./start-audit.ts";
import { createUserParts } from "./user-parts.ts";

/** What operators do, beside the running service. */
export interface Admin {
  readonly users: Users;
  readonly clients: Pick<Clients, "list" | "create" | "rotateSecret" | "delete">;
  readonly sessions: Pick<SessionStore, "listLive" | "endById" | "endAll">;
  readonly keys: SigningKeyAdmin;
  readonly audit: Pick<Audit, "record">;
}

/** Builds what operators do on a database. */
export async function buildAdmin(config: Config, db: Database): Promise<Admin> {
  const audit = createCommandAudit(db);
  return {
    audit,
    users: createUserParts(config, db).users,
    clients: createClients({ store: createClientStore(db), builtin: config.builtinClient }),
    sessions: createSessionStore(db),
    keys: createSigningKeyAdmin({
      store: createSigningKeyStore(db),
      secretKeys: createSecretKeys(await openSecretKeys(config)),
      algorithm: config.signingAlgorithm,
      lifetimeSeconds: Math.floor(config.signingKeyLifetimeMs / 1000),
    }),
  };
}
