import type { Database } from "../../postgres/pool.ts";
import type { AuditEvent } from "./audit-event.ts";
import { eventColumns, eventValues } from "./event-columns.ts";

/** How often something has happened. */
export interface CountedEvent {
  /** The first of them. */
  readonly event: AuditEvent;
  /** SHA-256 of what they have in common. */
  readonly key: Buffer;
  readonly count: number;
}

const columns = eventColumns.join(", ");
const types: Readonly<Record<string, string>> = { count: "int", client_address: "inet" };
const arrays = eventColumns.map((column, index) => `$${index + 2}::${types[column] ?? "text"}[]`).join(", ");

// The minute is the database's, one for all instances. In order, so that two that count the same keys do not
// wait for each other in a circle.
const add = {
  name: "audit-count.add",
  text: `insert into audit_counts as c (minute, key, ${columns})
    select date_trunc('minute', now()), e.* from unnest($1::bytea[], ${arrays}) as e (key, ${columns})
    order by e.type, e.key
    on conflict (minute, type, key) do update set count = c.count + excluded.count`,
};

// A few seconds after the minute, for those who are still writing in it.
const settle = {
  name: "audit-count.settle",
  text: `with over as (
      delete from audit_counts where (minute, type, key) in (
        select minute, type, key from audit_counts where minute < now() - interval '65 seconds'
        order by minute, type, key limit $1 for update skip locked
      ) returning *
    )
    insert into audit_events (occurred_at, ${columns})
    select minute, ${columns} from over order by minute, type, key
    returning 1`,
};

/** Counts of events in Postgres. */
export interface AuditCountStore {
  /** Adds to this minute's counts of all instances. */
  add(counted: readonly CountedEvent[]): Promise<void>;
  /** Moves counts whose minute is over into the trail; answers how many, at most `limit`. */
  settle(limit: number): Promise<number>;
}

/** @param db the pool */
export function createAuditCountStore(db: Pick<Database, "query">): AuditCountStore {
  return {
    async add(counted) {
      const rows = counted.map(({ event, count }) => eventValues({ ...event, count }));
      const valuesOf = eventColumns.map((_, index) => rows.map((row) => row[index]));
      await db.query(add, [counted.map(({ key }) => key), ...valuesOf]);
    },
    settle: async (limit) => (await db.query(settle, [limit])).length,
  };
}
