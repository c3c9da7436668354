import { type Audit, type AuditObserver, createAudit } from "../domain/audit/audit.ts";
import { type AuditCountsObserver, createAuditCounts } from "../domain/audit/audit-counts.ts";
import { createAuditCountStore } from "../domain/audit/audit-count-store.ts";
import { createAuditPartitionStore } from "../domain/audit/audit-partition-store.ts";
import type { AuditEventType } from "../domain/audit/audit-event.ts";
import { createAuditStore } from "../domain/audit/audit-store.ts";
import type { Log } from "../ops/logger.ts";
import type { Database } from "../postgres/pool.ts";

/** The audit trail of the service, with its periodic work. */
export interface ServiceAudit extends Audit {
  /** Writes down what was counted. @throws AppError unavailable */
  flushCounts(): Promise<void>;
  /** Moves the counts of minutes that are over into the trail. @throws AppError unavailable */
  settleCounts(): Promise<void>;
  /** Has the months of the trail ready, and drops those that have been kept long enough. */
  tendMonths(): Promise<void>;
}

const settleBatch = 500;
const monthsAhead = 3;

/**
 * Builds the audit trail of the service on a database.
 *
 * @param retentionMs how long after its end a month is kept; Infinity for ever
 */
export function buildAudit(
  db: Database,
  log: Log,
  observer: AuditObserver,
  retentionMs: number,
): ServiceAudit {
  const countStore = createAuditCountStore(db);
  const drops = gatherDrops(log, observer);
  const counts = createAuditCounts(countStore, drops);
  return {
    ...createAudit({ store: createAuditStore(db), counts, observer }),
    flushCounts: () => counts.flush().finally(() => drops.tell()),
    async settleCounts() {
      while ((await countStore.settle(settleBatch)) === settleBatch);
    },
    async tendMonths() {
      const dropped = await tendAuditMonths(db, retentionMs);
      if (dropped.length > 0) log.info({ partitions: dropped }, "months of the audit trail were dropped");
    },
  };
}

/** One log line for all that a flush has dropped. */
function gatherDrops(log: Log, observer: AuditObserver): AuditCountsObserver & { tell(): void } {
  let [events, cause]: [number, unknown] = [0, undefined];
  const types = new Set<AuditEventType>();
  return {
    onDropped({ event: { type }, count }, error) {
      observer.onDropped(type, count);
      events += count;
      cause = error;
      types.add(type);
    },
    tell() {
      if (events === 0) return;
      const message = "the database refuses counted audit events for what they say; they were dropped";
      log.error({ events, types: [...types], err: cause }, message);
      events = 0;
      types.clear();
    },
  };
}

/**
 * Has the months of the trail ready, and drops those that ended longer ago than so much.
 *
 * @returns the names of those that were dropped
 * @throws where the role does not own the tables
 */
export async function tendAuditMonths(db: Database, retentionMs: number): Promise<string[]> {
  const partitions = createAuditPartitionStore(db);
  await partitions.addAhead(monthsAhead);
  return retentionMs === Infinity ? [] : partitions.dropExpired(retentionMs / 1000);
}

/** The audit trail of a command, which has no background and causes nothing that is counted. */
export function createCommandAudit(db: Database): Audit {
  const store = createAuditStore(db);
  return {
    record: (event, tx) => store.insert(event, tx),
    recordCounted(event) {
      throw new Error(`a command does not count ${event.type}`);
    },
  };
}
