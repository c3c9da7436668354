import { createHash } from "node:crypto";
import { writeApart } from "../../postgres/write-apart.ts";
import { type Events, noEvents } from "../events.ts";
import type { AuditCountStore, CountedEvent } from "./audit-count-store.ts";
import type { AuditEvent } from "./audit-event.ts";

/** Counts of events of which an attacker could cause any number, in memory until they are written. */
export interface AuditCounts {
  /** Counts an event. See `Audit.recordCounted`. */
  add(event: AuditEvent, key: string): void;
  /**
   * Writes down what was counted, in one statement. What cannot be written now is kept for the next time. What the
   * database refuses for its data is dropped, and keeps nothing else from being written.
   *
   * @throws AppError unavailable
   */
  flush(): Promise<void>;
}

/**
 * So many keys are told apart between two flushes; what comes beyond them is counted by its type alone,
 * without a word of whom it was about. That is the most memory, and the most rows, that an attacker with any
 * number of addresses gets.
 */
const keysMax = 500;

/** Builds the counts of this process on the store of all. @param events nobody hears of them by default */
export function createAuditCounts(
  store: Pick<AuditCountStore, "add">,
  events: Events = noEvents,
): AuditCounts {
  let pending = new Map<string, CountedEvent>();
  let flushing: Promise<void> | null = null;

  const keep = (counted: CountedEvent): void => {
    const isNew = !pending.has(idOf(counted));
    const told = isNew && pending.size >= keysMax ? restOf(counted) : counted;
    const found = pending.get(idOf(told));
    pending.set(idOf(told), found === undefined ? told : { ...found, count: found.count + told.count });
  };

  const write = async (): Promise<void> => {
    const left = new Set(pending.values());
    pending = new Map();
    const add = async (batch: readonly CountedEvent[]): Promise<void> => {
      await store.add(batch);
      for (const counted of batch) left.delete(counted);
    };
    try {
      await writeApart([...left], add, (counted, error) => {
        left.delete(counted);
        events.emit("audit.dropped", { event: counted.event, count: counted.count, error });
      });
    } finally {
      for (const counted of left) keep(counted);
    }
  };

  return {
    add(event, key) {
      keep({ event, key: hash(key), count: event.count ?? 1 });
    },
    async flush() {
      // Whoever began that one is told of its failure.
      await flushing?.catch(() => undefined);
      if (pending.size === 0) return;
      flushing = write().finally(() => {
        flushing = null;
      });
      await flushing;
    },
  };
}

function hash(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}

function idOf({ event, key }: CountedEvent): string {
  return event.type + key.toString("base64");
}

/** What stands for all that are too many to be told apart. */
function restOf({ event: { type }, count }: CountedEvent): CountedEvent {
  const event = { type, actor: { kind: "anonymous" }, reason: "other_keys", origin: null } as const;
  return { event, key: hash("other keys"), count };
}
