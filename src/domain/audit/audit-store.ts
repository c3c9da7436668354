import type { Database, Queryable } from "../../postgres/pool.ts";
import type { AuditEvent } from "./audit-event.ts";
import { eventColumns, eventValues } from "./event-columns.ts";

const insert = {
  name: "audit.insert",
  text: `insert into audit_events (${eventColumns.join(", ")})
    values (${eventColumns.map((_, index) => `$${index + 1}`).join(", ")})`,
};

/** The audit trail in Postgres. */
export interface AuditStore {
  /** Adds an event: in a transaction of its own, or in the one given. */
  insert(event: AuditEvent, tx?: Queryable): Promise<void>;
}

/** @param db the pool */
export function createAuditStore(db: Pick<Database, "query">): AuditStore {
  return {
    async insert(event, tx = db) {
      await tx.query(insert, eventValues(event));
    },
  };
}
