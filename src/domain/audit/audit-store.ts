import type { Queryable } from "../../postgres/pool.ts";
import type { AuditEvent } from "./audit-event.ts";
import { eventColumns, eventValues } from "./event-columns.ts";

const insert = {
  name: "audit.insert",
  text: `insert into audit_events (${eventColumns.join(", ")})
    values (${eventColumns.map((_, index) => `$${index + 1}`).join(", ")})`,
};

const types = { count: "int", client_address: "inet" } as const;
const insertAll = {
  name: "audit.insert-all",
  text: `insert into audit_events (${eventColumns.join(", ")})
    select * from unnest(${eventColumns.map((column, index) => `$${index + 1}::${typeOf(column)}[]`).join(", ")})`,
};

/** The audit trail in Postgres. */
export interface AuditStore {
  /** Adds an event. */
  insert(tx: Queryable, event: AuditEvent): Promise<void>;
  /** Adds many. */
  insertAll(tx: Queryable, events: readonly AuditEvent[]): Promise<void>;
}

/** Builds it. It keeps nothing: what it writes to is given with each call. */
export function createAuditStore(): AuditStore {
  return {
    async insert(tx, event) {
      await tx.query(insert, eventValues(event));
    },
    async insertAll(tx, events) {
      const rows = events.map(eventValues);
      await tx.query(
        insertAll,
        eventColumns.map((_, index) => rows.map((row) => row[index])),
      );
    },
  };
}

function typeOf(column: (typeof eventColumns)[number]): string {
  return column in types ? types[column as keyof typeof types] : "text";
}
