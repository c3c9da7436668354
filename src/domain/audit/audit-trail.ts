import { asKind } from "../../lib/work.ts";
import type { AuditFilter, AuditRow, AuditTrailStore, ListPosition } from "./audit-trail-store.ts";
import { createFollow, type FollowTrail } from "./follow-trail.ts";

export type { AuditFilter, AuditRow, ListPosition } from "./audit-trail-store.ts";
export type { FollowCursor } from "./follow-trail.ts";

/** The audit trail, for those who read it. */
export interface AuditTrail {
  /** At most `limit` rows, the newest first, after the given one. @throws AppError unavailable */
  list(filter: AuditFilter, after: ListPosition | null, limit: number): Promise<AuditRow[]>;
  /** All rows, in the order of the list, a page at a time; one empty page for none. @throws AppError unavailable */
  readAll(filter: AuditFilter): AsyncIterable<AuditRow[]>;
  follow: FollowTrail;
}

/** It bounds what an export holds in memory. */
const pageSize = 200;

/** Builds the reading side on its store. All of it is work of the kind `search`. */
export function createAuditTrail(store: AuditTrailStore): AuditTrail {
  const list = asKind("search", (...asked: Parameters<AuditTrailStore["list"]>) => store.list(...asked));
  return {
    list,
    async *readAll(filter) {
      let after: ListPosition | null = null;
      for (;;) {
        const page: AuditRow[] = await list(filter, after, pageSize);
        if (page.length > 0 || after === null) yield page;
        after = page.at(-1) ?? null;
        if (page.length < pageSize) return;
      }
    },
    follow: createFollow({
      horizon: asKind("search", () => store.horizon()),
      follow: asKind("search", (...asked: Parameters<AuditTrailStore["follow"]>) => store.follow(...asked)),
    }),
  };
}
