import { type Audit, type AuditObserver, createAudit } from "../domain/audit/audit.ts";
import { createAuditCounts } from "../domain/audit/audit-counts.ts";
import { createAuditCountStore } from "../domain/audit/audit-count-store.ts";
import { createAuditStore } from "../domain/audit/audit-store.ts";
import type { Log } from "../ops/logger.ts";
import type { Database } from "../postgres/pool.ts";

/** The audit trail, with what it does in the background. */
export interface RunningAudit extends Audit {
  /** Ends what runs in the background, and writes down what was counted. */
  stop(): Promise<void>;
}

const flushPeriodMs = 1_000;
const settlePeriodMs = 10_000;
const settleBatch = 500;

/** Builds the audit trail on a database. */
export function startAudit(db: Database, log: Log, observer: AuditObserver): RunningAudit {
  const countStore = createAuditCountStore(db);
  const counts = createAuditCounts(countStore);
  const flush = () =>
    counts.flush().catch((error: unknown) => {
      log.warn({ err: error }, "counted audit events could not be written yet");
    });
  const settle = async (): Promise<void> => {
    try {
      while ((await countStore.settle(settleBatch)) === settleBatch);
    } catch (error) {
      log.warn({ err: error }, "counted audit events could not be moved into the audit trail yet");
    }
  };
  const timers = [
    setInterval(() => void flush(), flushPeriodMs).unref(),
    setInterval(() => void settle(), settlePeriodMs).unref(),
  ];
  return {
    ...createAudit({ store: createAuditStore(db), counts, observer }),
    async stop() {
      for (const timer of timers) clearInterval(timer);
      await flush();
    },
  };
}

/** The audit trail of a command, which has no background. */
export function createCommandAudit(db: Database): Pick<Audit, "record"> {
  const store = createAuditStore(db);
  return { record: (event, tx) => store.insert(event, tx) };
}
