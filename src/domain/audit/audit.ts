import type { Queryable } from "../../postgres/pool.ts";
import type { Events } from "../events.ts";
import type { AuditCounts } from "./audit-counts.ts";
import type { AuditEvent } from "./audit-event.ts";
import type { AuditStore } from "./audit-store.ts";

/** The audit trail. */
export interface Audit {
  /**
   * Writes an event down in the transaction of the change that it tells of: both are kept, or neither.
   *
   * @throws AppError unavailable
   */
  record(tx: Queryable, event: AuditEvent): Promise<void>;
  /** The same for many events of one type, in one statement. */
  recordAll(tx: Queryable, events: readonly AuditEvent[]): Promise<void>;
  /**
   * Writes down an event that changes nothing, such as a failed login. The row is durable when this resolves.
   *
   * @throws AppError unavailable
   */
  recordAlone(event: AuditEvent): Promise<void>;
  /**
   * Counts an event of which an attacker could cause any number, such as a throttled attempt: all with one
   * key in one minute become one row, with the origin of the first. Nothing is waited for and nothing is
   * thrown; the count reaches the database within a second, and the trail when the minute is over.
   *
   * @param key what the events have in common, such as the key of the throttle; it is only kept as its hash
   */
  recordCounted(event: AuditEvent, key: string): void;
}

/** Builds the audit trail on its store and its counts. @param deps `db`: where an event alone is written */
export function createAudit(deps: {
  readonly db: Queryable;
  readonly store: AuditStore;
  readonly counts: Pick<AuditCounts, "add">;
  readonly events: Events;
}): Audit {
  const { db, store, counts, events } = deps;
  const tell = async (written: Promise<void>, recorded: readonly AuditEvent[]): Promise<void> => {
    try {
      await written;
    } catch (error) {
      for (const { type } of recorded) events.emit("audit.failed", type);
      throw error;
    }
    for (const { type } of recorded) events.emit("audit.recorded", type);
  };
  const record = (tx: Queryable, event: AuditEvent): Promise<void> => tell(store.insert(tx, event), [event]);
  return {
    record,
    recordAll: (tx, recorded) => tell(store.insertAll(tx, recorded), recorded),
    recordAlone: (event) => record(db, event),
    recordCounted(event, key) {
      counts.add(event, key);
      events.emit("audit.recorded", event.type);
    },
  };
}
