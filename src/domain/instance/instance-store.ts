import { randomUUID } from "node:crypto";
import type { Database } from "../../postgres/pool.ts";

/** The rows of the instances that run. */
export interface InstanceStore {
  /** Writes the row of an instance again, and counts the others that have done so lately, since it started. */
  beat(id: string, staleSeconds: number): Promise<number>;
  /** Takes the row of an instance away. */
  leave(id: string): Promise<void>;
  /**
   * Does what all work does: writes a row durably, as every standby that is waited for has it, and takes new room
   * on the disk. Nobody ever sees the row, and the room is given back at once.
   */
  probeWrites(): Promise<void>;
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
const [probeTimeoutMs, probeLockTimeoutMs] = [1_500, 1_000];
const leave = { name: "instance.leave", text: "delete from instances where id = $1" };

// A row finds room on an old page while the disk is full, where a login soon does not. A set of rows that outgrows
// work_mem goes to a file of its own, in the same folder as the tables, and neither to the log of changes nor to a
// standby: 30 pages of it.
const probe = `set local work_mem = '64kB'; set local temp_tablespaces = ''; select count(*) from generate_series(1, 12000)`;
const insertProbe = {
  name: "instance.insert-probe",
  text: "insert into instances (id, seen_at) values ($1, '-infinity')",
};

/** @param db the pool */
export function createInstanceStore(db: Pick<Database, "query" | "transaction">): InstanceStore {
  return {
    async beat(id, staleSeconds) {
      const [row] = await db.query<{ others: number }>(beat, [id, staleSeconds]);
      return row?.others ?? 0;
    },
    async leave(id) {
      await db.query(leave, [id]);
    },
    async probeWrites() {
      const id = `probe-${randomUUID()}`;
      await db.transaction(
        async (tx) => {
          await Promise.all([tx.query(insertProbe, [id]), tx.query(leave, [id])]);
          await tx.execute(probe);
        },
        { statementTimeoutMs: probeTimeoutMs, lockTimeoutMs: probeLockTimeoutMs },
      );
    },
  };
}
