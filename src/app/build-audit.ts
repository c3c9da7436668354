import { type Audit, createAudit } from "../domain/audit/audit.ts";
import { createAuditCounts } from "../domain/audit/audit-counts.ts";
import { createAuditCountStore } from "../domain/audit/audit-count-store.ts";
import { createAuditPartitionStore } from "../domain/audit/audit-partition-store.ts";
import { createAuditStore } from "../domain/audit/audit-store.ts";
import type { Events } from "../domain/events.ts";
import type { Database } from "../postgres/pool.ts";

/** The audit trail, with its periodic work. */
export interface KeptAudit extends Audit {
  /** Writes down what was counted. @throws AppError unavailable */
  flushCounts(): Promise<void>;
  /** Moves the counts of minutes that are over into the trail. @throws AppError unavailable */
  settleCounts(): Promise<void>;
  /**
   * Makes the coming months of the trail ready, and drops those that have been kept long enough.
   *
   * @returns the names of those that were dropped
   * @throws where the role does not own the tables
   */
  tendMonths(): Promise<readonly string[]>;
}

const settleBatch = 500;
const monthsAhead = 3;

/**
 * Builds the audit trail on a database.
 *
 * @param retentionMs how long after its end a month is kept; Infinity for ever
 */
export function buildAudit(db: Database, events: Events, retentionMs: number): KeptAudit {
  const countStore = createAuditCountStore(db);
  const partitions = createAuditPartitionStore(db);
  const counts = createAuditCounts(countStore, events);
  return {
    ...createAudit({ db, store: createAuditStore(), counts, events }),
    flushCounts: () => counts.flush().finally(() => events.emit("audit.flushed", null)),
    async settleCounts() {
      while ((await countStore.settle(settleBatch)) === settleBatch);
    },
    async tendMonths() {
      await partitions.addAhead(monthsAhead);
      return retentionMs === Infinity ? [] : partitions.dropExpired(retentionMs / 1000);
    },
  };
}
