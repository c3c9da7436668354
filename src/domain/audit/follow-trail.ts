import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../../errors/app-error.ts";
import { refuseFields } from "../../errors/invalid.ts";
import type { AuditFilter, AuditRow, AuditTrailStore, FollowPosition, Horizon } from "./audit-trail-store.ts";

/** Up to where a follower has read. */
export interface FollowCursor extends FollowPosition {
  /** RFC 3339 in UTC: the follower reads nothing from before. It keeps the reading to the months at hand. */
  readonly since: string;
}

/** A row, or null for a sign of life, and from where to go on after it. */
export interface Followed {
  readonly row: AuditRow | null;
  readonly cursor: FollowCursor;
}

/** How a follower reads. */
export interface FollowOptions {
  /** Where an earlier follower of the same filter has ended; null begins now, or at `filter.since`. */
  readonly from: FollowCursor | null;
  /** Whether it ends when it has read all that is complete now. */
  readonly untilNow: boolean;
  /** Ends it; what it has read so far is told before. */
  readonly signal: AbortSignal;
}

/**
 * Every row that is written from a point on. A row comes when all transactions that began before its own have ended: none
 * is lost, however late it is committed, and whichever replica wrote it. While the database cannot be reached it waits.
 * First comes a sign of life, and then one whenever nothing else has come for ten seconds.
 *
 * @throws AppError unavailable at the beginning; validation_failed for a cursor that lies ahead of the trail
 */
export type FollowTrail = (filter: AuditFilter, options: FollowOptions) => AsyncIterable<Followed>;

const pollMs = 500;
const silenceMaxMs = 10_000;
/** Followers that look at about the same time share the answer. */
const horizonAgeMaxMs = 200;
/** It bounds what a follower holds in memory. */
const pageSize = 100;

/** Builds it on the store. */
export function createFollow(store: Pick<AuditTrailStore, "horizon" | "follow">): FollowTrail {
  const readHorizon = shareHorizon(store);
  return async function* follow(filter, { from, untilNow, signal }) {
    let cursor = begin(filter, from, await store.horizon());
    let toldAt = performance.now();
    yield { row: null, cursor };
    while (!signal.aborted) {
      const horizon = await whenReachable(readHorizon);
      if (horizon !== null && isBefore(cursor, horizon)) {
        for await (const followed of readUpTo(store, filter, cursor, horizon)) {
          ({ cursor } = followed);
          if (followed.row === null) continue;
          toldAt = performance.now();
          yield followed;
          if (signal.aborted) break;
        }
      }
      if (untilNow && horizon !== null) break;
      if (performance.now() - toldAt >= silenceMaxMs) {
        toldAt = performance.now();
        yield { row: null, cursor };
      }
      await sleep(pollMs, null, { signal }).catch(() => undefined);
    }
    yield { row: null, cursor };
  };
}

/** Nothing is written under an older time but counts, whose minute is over: so a day is enough. */
function begin({ since }: AuditFilter, from: FollowCursor | null, { xact, now }: Horizon): FollowCursor {
  if (from === null) {
    return { xact: since === undefined ? xact : "0", id: "0", since: since ?? dayBefore(now) };
  }
  if (BigInt(from.xact) <= BigInt(xact)) return from;
  const detail = "lies ahead of the trail, which was restored: follow anew";
  refuseFields([{ field: "cursor", code: "out_of_range", detail }]);
  return from;
}

/** Reads what is complete. The last one has no row, and the place up to which everything was read. */
async function* readUpTo(
  store: Pick<AuditTrailStore, "follow">,
  filter: AuditFilter,
  start: FollowCursor,
  horizon: Horizon,
): AsyncGenerator<Followed> {
  const { since } = start;
  let cursor = start;
  for (;;) {
    const after = cursor;
    const page = await whenReachable(() => store.follow({ ...filter, since }, after, horizon, pageSize));
    if (page === null) return;
    for (const { xact, ...row } of page) {
      cursor = { xact, id: row.id, since };
      yield { row, cursor };
    }
    if (page.length < pageSize) {
      yield { row: null, cursor: { xact: horizon.xact, id: "0", since } };
      return;
    }
  }
}

function isBefore(cursor: FollowCursor, { xact }: Horizon): boolean {
  return BigInt(cursor.xact) < BigInt(xact);
}

/** An answer that is a little old is as good: it is only lower. */
function shareHorizon(store: Pick<AuditTrailStore, "horizon">): () => Promise<Horizon> {
  let shared: Promise<Horizon> | null = null;
  let askedAt = -Infinity;
  return () => {
    const now = performance.now();
    if (shared === null || now - askedAt > horizonAgeMaxMs) {
      askedAt = now;
      shared = store.horizon();
      shared.catch(() => {
        shared = null;
      });
    }
    return shared;
  };
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
