import type { Sql } from "../sql.ts";

/** A row of the audit trail, but for its id, its time and its transaction. */
export type TrailRow = Readonly<Record<(typeof columns)[number], unknown>>;

const columns = [
  "type",
  "actor_kind",
  "actor_id",
  "user_id",
  "name_hmac",
  "session_id",
  "client_id",
  "key_id",
  "reason",
  "count",
  "request_id",
  "client_address",
  "user_agent",
] as const;

/** A whole row of which only this is set. */
export function rowOf(set: Partial<TrailRow> & Pick<TrailRow, "type" | "actor_kind">): TrailRow {
  const empty = Object.fromEntries(columns.map((column) => [column, null])) as unknown as TrailRow;
  return { ...empty, count: 1, ...set };
}

/** Reads the trail past the service, each row once, in the order of the ids. */
export function openTrail(sql: Sql): () => Promise<TrailRow[]> {
  let last = "0";
  return async () => {
    const { rows } = await sql.query<TrailRow & { id: string }>(
      `select id::text as id, ${columns.join(", ").replace("client_address", "host(client_address) as client_address")}
        from audit_events where id > $1 order by audit_events.id`,
      [last],
    );
    last = rows.at(-1)?.id ?? last;
    return rows.map(({ id: _id, ...row }) => row);
  };
}
