import type { Database } from "../../postgres/pool.ts";

/** The rows of the instances that run. */
export interface InstanceStore {
  /** Writes the row of an instance again, and counts the others that have done so lately, since it started. */
  beat(id: string, staleSeconds: number): Promise<number>;
  /** Takes the row of an instance away. */
  leave(id: string): Promise<void>;
}

// A row of an instance that was killed just before this one started counts for nothing.
const beat = {
  name: "instance.beat",
  text: `with own as (
      insert into instances (id) values ($1) on conflict (id) do update set seen_at = now()
      returning started_at
    ), dead as (
      delete from instances where id <> $1 and seen_at < now() - interval '1 hour'
    )
    select count(*)::int as others from instances, own
    where id <> $1 and seen_at > greatest(own.started_at, now() - make_interval(secs => $2))`,
};
const leave = { name: "instance.leave", text: "delete from instances where id = $1" };

/** @param db the pool */
export function createInstanceStore(db: Pick<Database, "query">): InstanceStore {
  return {
    async beat(id, staleSeconds) {
      const [row] = await db.query<{ others: number }>(beat, [id, staleSeconds]);
      return row?.others ?? 0;
    },
    async leave(id) {
      await db.query(leave, [id]);
    },
  };
}
