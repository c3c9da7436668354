import { type Clients, createClients } from "../../src/domain/client/clients.ts";
import { createClientStore } from "../../src/domain/client/client-store.ts";
import { createSessionStore } from "../../src/domain/session/session-store.ts";
import { parseDatabaseUrl } from "../../src/postgres/connection-string.ts";
import { createPool } from "../../src/postgres/pool.ts";

/** Changes clients in the test's own process, as another instance would: a service has to learn of it. */
export function openClientsElsewhere(databaseUrl: string): {
  readonly clients: Clients;
  close(): Promise<void>;
} {
  const pool = createPool({
    target: parseDatabaseUrl(databaseUrl),
    statementTimeoutMs: 5000,
    connectTimeoutMs: 5000,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  const clients = createClients({
    db: pool,
    store: createClientStore(pool),
    sessions: createSessionStore(pool),
    audit: {
      record: () => Promise.resolve(),
      recordAll: () => Promise.resolve(),
      recordAlone: () => Promise.resolve(),
      recordCounted: () => undefined,
    },
    builtin: { enabled: false, scopes: [] },
  });
  return { clients, close: () => pool.end() };
}
