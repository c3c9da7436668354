import type { Database } from "../../postgres/pool.ts";
import type { Audit } from "../audit/audit.ts";
import type { AuditSource } from "../audit/audit-event.ts";
import type { Client } from "./client.ts";
import type { ClientStore, NewClient } from "./client-store.ts";

/** What the changes of clients are made of. */
export interface ChangeClientsDeps {
  readonly db: Pick<Database, "transaction">;
  readonly store: Pick<ClientStore, "insert" | "setSecret" | "delete">;
  readonly sessions: {
    /** Ends at most `limit` sessions that a client began; answers how many. */
    endOfClient(clientId: string, limit: number): Promise<number>;
  };
  readonly audit: Pick<Audit, "record">;
}

/** The changes of clients, each in one transaction with its event. Each throws AppError unavailable. */
export interface ChangeClients {
  /** @throws AppError already_exists */
  create(client: NewClient, secretHash: Buffer | null, by: AuditSource): Promise<Client>;
  /** Replaces a secret; false where there is no such client, or it is public. */
  setSecret(id: string, secretHash: Buffer, by: AuditSource): Promise<boolean>;
  /**
   * Deletes a client, and ends the sessions that it began in batches after that; false where there is neither. Where
   * it was cut off, it may be run again.
   */
  delete(id: string, by: AuditSource): Promise<boolean>;
}

const endBatch = 1000;

/** Builds them. */
export function createChangeClients({ db, store, sessions, audit }: ChangeClientsDeps): ChangeClients {
  return {
    create: (client, secretHash, by) =>
      db.transaction(async (tx) => {
        const created = await store.insert(tx, client, secretHash);
        await audit.record(tx, { type: "client.created", ...by, clientId: client.id });
        return created;
      }),
    setSecret: (id, secretHash, by) =>
      db.transaction(async (tx) => {
        const isSet = await store.setSecret(tx, id, secretHash);
        if (isSet) await audit.record(tx, { type: "client.secret_rotated", ...by, clientId: id });
        return isSet;
      }),
    async delete(id, by) {
      // First, and on its own: it waits for the logins that hold the row, and none begins a session after it.
      const isDeleted = await db.transaction(async (tx) => {
        const isThere = await store.delete(tx, id);
        if (isThere) await audit.record(tx, { type: "client.deleted", ...by, clientId: id });
        return isThere;
      });
      let ended = 0;
      for (;;) {
        const count = await sessions.endOfClient(id, endBatch);
        if (count === 0) return isDeleted || ended > 0;
        ended += count;
      }
    },
  };
}
