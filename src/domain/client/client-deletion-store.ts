import type { Queryable } from "../../postgres/pool.ts";
import type { ClientDeletion } from "./client-deletion.ts";

interface Row extends Omit<ClientDeletion, "sessionsEnded"> {
  readonly sessionsEnded: string;
}

const columns = `client_id as "clientId", deleted_at as "deletedAt", sessions_ended::text as "sessionsEnded",
  finished_at as "finishedAt"`;
const find = {
  name: "client-deletion.find",
  text: `select ${columns} from client_deletions where client_id = $1`,
};
const insert = {
  name: "client-deletion.insert",
  text: `insert into client_deletions (client_id) values ($1)
    on conflict (client_id) do update set deleted_at = now(), sessions_ended = 0, finished_at = null`,
};
// Whoever waits for the lock finds the row as it is then, or not at all once it is finished.
const lockUnfinished = {
  name: "client-deletion.lock-unfinished",
  text: `select ${columns} from client_deletions where finished_at is null and ($1::text is null or client_id = $1)
    order by deleted_at limit 1 for update`,
};
const count = {
  name: "client-deletion.count",
  text: `update client_deletions set sessions_ended = sessions_ended + $2::int, finished_at = case when $3 then now() end
    where client_id = $1`,
};
const deleteFinished = {
  name: "client-deletion.delete-finished",
  text: "delete from client_deletions where finished_at < now() - interval '1 day'",
};

/** The deletions of clients, in Postgres. */
export interface ClientDeletionStore {
  find(clientId: string, tx?: Queryable): Promise<ClientDeletion | null>;
  /** Begins one anew. */
  insert(tx: Queryable, clientId: string): Promise<void>;
  /** An unfinished one, which nobody else works on until the transaction ends. @param clientId null for any */
  lockUnfinished(tx: Queryable, clientId: string | null): Promise<ClientDeletion | null>;
  /** Counts sessions that were ended, the last ones where it is finished. */
  count(tx: Queryable, clientId: string, ended: number, isFinished: boolean): Promise<void>;
  /** Forgets those that were finished a day ago. */
  deleteFinished(): Promise<void>;
}

/** @param db the pool, for what is asked outside of a transaction */
export function createClientDeletionStore(db: Queryable): ClientDeletionStore {
  const one = ([row]: Row[]): ClientDeletion | null =>
    row === undefined ? null : { ...row, sessionsEnded: Number(row.sessionsEnded) };
  return {
    find: async (clientId, tx = db) => one(await tx.query<Row>(find, [clientId])),
    async insert(tx, clientId) {
      await tx.query(insert, [clientId]);
    },
    lockUnfinished: async (tx, clientId) => one(await tx.query<Row>(lockUnfinished, [clientId])),
    async count(tx, clientId, ended, isFinished) {
      await tx.query(count, [clientId, ended, isFinished]);
    },
    async deleteFinished() {
      await db.query(deleteFinished, []);
    },
  };
}
