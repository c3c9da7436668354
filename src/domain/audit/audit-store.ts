import type { Queryable } from "../../postgres/pool.ts";
import type { AuditEvent } from "./audit-event.ts";
import { eventColumns, eventValues } from "./event-columns.ts";

const insert = {
  name: "audit.insert",
  text: `insert into audit_events (${eventColumns.join(", ")})
    values (${eventColumns.map((_, index) => `$${index + 1}`).join(", ")})`,
};

/** The audit trail in Postgres. */
export interface AuditStore {
  /** Adds an event. */
  insert(tx: Queryable, event: AuditEvent): Promise<void>;
}

/** Builds it. It keeps nothing: what it writes to is given with each call. */
export function createAuditStore(): AuditStore {
  return {
    async insert(tx, event) {
      await tx.query(insert, eventValues(event));
    },
  };
}
