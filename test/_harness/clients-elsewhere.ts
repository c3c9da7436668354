import { type Clients, createClients } from "../../src/domain/client/clients.ts";
import { createClientDeletions } from "../../src/domain/client/client-deletions.ts";
import { createClientDeletionStore } from "../../src/domain/client/client-deletion-store.ts";
import { createClientSearchStore } from "../../src/domain/client/client-search-store.ts";
import { createClientStore } from "../../src/domain/client/client-store.ts";
import { createManageClients, type ManageClients } from "../../src/domain/client/manage-clients.ts";
import { createManagedClientStore } from "../../src/domain/client/managed-client-store.ts";
import { createRepeats } from "../../src/domain/repeat/repeats.ts";
import { createRepeatStore } from "../../src/domain/repeat/repeat-store.ts";
import { createRoles } from "../../src/domain/role/roles.ts";
import { createRoleStore } from "../../src/domain/role/role-store.ts";
import { createSessionStore } from "../../src/domain/session/session-store.ts";
import { parseDatabaseUrl } from "../../src/postgres/connection-string.ts";
import { createPool } from "../../src/postgres/pool.ts";

/** Changes clients in the test's own process, as another instance would: a service has to learn of it. */
export function openClientsElsewhere(databaseUrl: string): {
  readonly clients: Clients;
  readonly manageClients: ManageClients;
  close(): Promise<void>;
} {
  const db = createPool({
    target: parseDatabaseUrl(databaseUrl),
    statementTimeoutMs: 5000,
    connectTimeoutMs: 5000,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  const audit = { record: () => Promise.resolve(), recordCounted: () => undefined };
  const clients = createClients({
    store: createClientStore(db),
    audit,
    builtin: { enabled: false, scopes: [] },
    forgetElsewhere: () => Promise.resolve(),
  });
  const repeats = createRepeats(createRepeatStore(db));
  const deletions = { db, store: createClientDeletionStore(db), sessions: createSessionStore(db) };
  const manageClients = createManageClients({
    db,
    store: createManagedClientStore(db),
    searches: createClientSearchStore(db),
    deletions: createClientDeletions(deletions),
    roles: createRoles({ db, store: createRoleStore(db), repeats, audit }),
    repeats,
    audit,
    forget: (id) => clients.forget(id),
  });
  return { clients, manageClients, close: () => db.end() };
}
