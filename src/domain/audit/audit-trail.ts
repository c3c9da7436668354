import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../../errors/app-error.ts";
import type {
  AuditFilter,
  AuditRow,
  AuditTrailStore,
  FollowPosition,
  Horizon,
  ListPosition,
} from "./audit-trail-store.ts";

export type { AuditFilter, AuditRow, ListPosition } from "./audit-trail-store.ts";

/** The audit trail, for those who read it. */
export interface AuditTrail {
  /** At most `limit` rows, the newest first, after the given one. @throws AppError unavailable */
  list(filter: AuditFilter, after: ListPosition | null, limit: number): Promise<AuditRow[]>;
  /**
   * Every row that is written from now on, or since `filter.since`, until the signal aborts. A row comes when
   * all transactions that began before its own have ended: none is lost, however late it is committed, and
   * whichever replica wrote it. While the database cannot be reached it waits.
   *
   * @param pollMs the pause between two looks
   */
  follow(filter: AuditFilter, pollMs: number, signal: AbortSignal): AsyncIterable<AuditRow>;
}

const pageSize = 500;

/** Builds the reading side on its store. */
export function createAuditTrail(store: AuditTrailStore): AuditTrail {
  return {
    list: (filter, after, limit) => store.list(filter, after, limit),
    async *follow(filter, pollMs, signal) {
      const start = await store.horizon();
      let from: FollowPosition = { xact: filter.since === undefined ? start.xact : "0", id: "0" };
      // Nothing is written under an older time but counts, whose minute is over. It keeps the reading to the
      // months at hand.
      const bounded = { ...filter, since: filter.since ?? dayBefore(start.now) };
      while (!signal.aborted) {
        const horizon = await whenReachable(() => store.horizon());
        if (horizon !== null) from = yield* readUpTo(store, bounded, from, horizon);
        await sleep(pollMs, null, { signal }).catch(() => undefined);
      }
    },
  };
}

/** Answers the position that everything below was read of. */
async function* readUpTo(
  store: AuditTrailStore,
  filter: AuditFilter,
  start: FollowPosition,
  horizon: Horizon,
): AsyncGenerator<AuditRow, FollowPosition> {
  let from = start;
  for (;;) {
    const after = from;
    const page = await whenReachable(() => store.follow(filter, after, horizon, pageSize));
    if (page === null) return from;
    for (const { xact, ...row } of page) {
      yield row;
      from = { xact, id: row.id };
    }
    if (page.length < pageSize) return { xact: horizon.xact, id: "0" };
  }
}

/** Null while the database cannot be reached. */
async function whenReachable<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof AppError && error.reason === "unavailable") return null;
    throw error;
  }
}

function dayBefore(time: string): string {
  return new Date(Date.parse(time) - 86_400_000).toISOString();
}
