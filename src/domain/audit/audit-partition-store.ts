import type { Database, Statement } from "../../postgres/pool.ts";

/** One replica at a time: any number, the same in every version ("csau" in ASCII). */
const lock: Statement = {
  name: "audit-partition.lock",
  text: "select pg_try_advisory_xact_lock(1668505973) as mine",
};

/**
 * Whoever wants the trail meanwhile queues behind a change of its partitions, so that one does not wait long. It
 * is tried again.
 */
const lockTimeoutMs = 1_000;

const findStrays: Statement = {
  name: "audit-partition.find-strays",
  text: "select 1 from audit_events_default limit 1",
};
const setStraysAside = `
  alter table audit_events detach partition audit_events_default;
  alter table audit_events_default rename to audit_events_strays;
  create table audit_events_default partition of audit_events default;
  select add_audit_partition(month) from (
    select distinct date_trunc('month', occurred_at at time zone 'UTC')::date as month from audit_events_strays
  ) as months;
  insert into audit_events select * from audit_events_strays;
  drop table audit_events_strays`;

const addAhead: Statement = {
  name: "audit-partition.add-ahead",
  text: `select add_audit_partition((date_trunc('month', now() at time zone 'UTC') + n * interval '1 month')::date)
    from generate_series(0, $1::int) as n`,
};

const findExpired: Statement = {
  name: "audit-partition.find-expired",
  text: `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'audit_events'::regclass and c.relname ~ '^audit_events_[0-9]{4}_[0-9]{2}$'
      and (to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month') at time zone 'UTC'
        <= now() - $1::float8 * interval '1 second'
    order by c.relname`,
};

/** The months of the audit trail in Postgres. */
export interface AuditPartitionStore {
  /**
   * Makes the partitions of this month and of so many after it, unless they are there or another replica is at
   * it. Rows that found no month of their own are moved to it.
   */
  addAhead(months: number): Promise<void>;
  /**
   * Drops the months that ended longer ago than so many seconds, unless another replica is at it; answers
   * their names.
   */
  dropExpired(olderThanSeconds: number): Promise<string[]>;
}

/** @param db the pool */
export function createAuditPartitionStore(db: Pick<Database, "transaction">): AuditPartitionStore {
  return {
    addAhead: (months) =>
      db.transaction(
        async (tx) => {
          const [row] = await tx.query<{ mine: boolean }>(lock);
          if (row?.mine !== true) return;
          if ((await tx.query(findStrays)).length > 0) await tx.execute(setStraysAside);
          await tx.query(addAhead, [months]);
        },
        { lockTimeoutMs },
      ),
    dropExpired: (olderThanSeconds) =>
      db.transaction(
        async (tx) => {
          const [row] = await tx.query<{ mine: boolean }>(lock);
          if (row?.mine !== true) return [];
          const expired = await tx.query<{ name: string }>(findExpired, [olderThanSeconds]);
          for (const { name } of expired) await tx.execute(`drop table ${name}`);
          return expired.map(({ name }) => name);
        },
        { lockTimeoutMs },
      ),
  };
}
