import type { Queryable } from "../../postgres/pool.ts";
import type { AuditCounts } from "./audit-counts.ts";
import type { AuditEvent, AuditEventType } from "./audit-event.ts";
import type { AuditStore } from "./audit-store.ts";

/** The audit trail. */
export interface Audit {
  /**
   * Writes an event down, within the transaction that it tells of where there is one; otherwise before the
   * answer. It resolves when the row is durable, or as durable as the transaction.
   *
   * @throws AppError unavailable
   */
  record(event: AuditEvent, tx?: Queryable): Promise<void>;
  /**
   * Counts an event of which an attacker could cause any number, such as a throttled attempt: all with one
   * key in one minute become one row, with the origin of the first. Nothing is waited for and nothing is
   * thrown; the count reaches the database within a second, and the trail when the minute is over.
   *
   * @param key what the events have in common, such as the key of the throttle; it is only kept as its hash
   */
  recordCounted(event: AuditEvent, key: string): void;
}

/** Called within the transaction of a change, once it is made, to write its event down. */
export type RecordChange<Changed> = (changed: Changed, tx: Queryable) => Promise<void>;

/** Told of what is written. */
export interface AuditObserver {
  /** An event was handed to the database, or to the counts. */
  onRecorded(type: AuditEventType): void;
  /** An event could not be written; what it tells of has failed with it. */
  onFailed(type: AuditEventType): void;
  /** So many events were counted, and the database refuses what they say. */
  onDropped(type: AuditEventType, count: number, error: unknown): void;
}

/** Builds the audit trail on its store and its counts. */
export function createAudit(deps: {
  readonly store: Pick<AuditStore, "insert">;
  readonly counts: Pick<AuditCounts, "add">;
  readonly observer: AuditObserver;
}): Audit {
  const { store, counts, observer } = deps;
  return {
    async record(event, tx) {
      try {
        await store.insert(event, tx);
      } catch (error) {
        observer.onFailed(event.type);
        throw error;
      }
      observer.onRecorded(event.type);
    },
    recordCounted(event, key) {
      counts.add(event, key);
      observer.onRecorded(event.type);
    },
  };
}
