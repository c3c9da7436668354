import type { Sql } from "../sql.ts";

/** What tests read of an event, beside its whole row (`openTrail`). */
export interface EventRow {
  readonly type: string;
  readonly reason: string | null;
}

/** A session's refreshes of which the trail tells, in order. */
export async function readRefreshEvents(sql: Sql, sessionId: string): Promise<EventRow[]> {
  const { rows } = await sql.query<{ type: string; reason: string | null }>(
    "select type, reason from audit_events where session_id = $1 and type like 'refresh.%' order by id",
    [sessionId],
  );
  return rows;
}

/** The last event about a user. */
export async function readLastEvent(sql: Sql, userId: string): Promise<EventRow | undefined> {
  const { rows } = await sql.query<{ type: string; reason: string | null }>(
    "select type, reason from audit_events where user_id = $1 order by id desc limit 1",
    [userId],
  );
  return rows[0];
}

/** The user of the last login that succeeded, and where it came from. */
export async function readLastLogin(
  sql: Sql,
): Promise<{ readonly username: string; readonly address: string } | undefined> {
  const { rows } = await sql.query<{ username: string; address: string }>(
    `select u.username, host(e.client_address) as address from audit_events e join users u on u.id = e.user_id
      where e.type = 'login.succeeded' order by e.id desc limit 1`,
  );
  return rows[0];
}

/** How many events of a type there are. */
export async function countEvents(sql: Sql, type: string): Promise<number> {
  const { rows } = await sql.query<{ count: number }>(
    "select count(*)::int as count from audit_events where type = $1",
    [type],
  );
  return rows[0]?.count ?? -1;
}

/** Those values of a column of which there is not exactly one event of a type. */
export async function findUntold(
  sql: Sql,
  type: string,
  column: "session_id" | "request_id",
  values: readonly string[],
): Promise<string[]> {
  const { rows } = await sql.query<{ value: string }>(
    `select value from unnest($2::text[]) as value
      where (select count(*) from audit_events where type = $1 and ${column} = value) <> 1`,
    [type, values],
  );
  return rows.map(({ value }) => value);
}

/** The counted events of a session that are not settled yet. */
export async function readSessionCounts(
  sql: Sql,
  sessionId: string,
): Promise<(EventRow & { readonly count: number })[]> {
  const { rows } = await sql.query<EventRow & { count: number }>(
    "select type, reason, count from audit_counts where session_id = $1",
    [sessionId],
  );
  return rows;
}

/** How many events of a type from an address have been counted and are not settled yet. */
export async function countFrom(sql: Sql, type: string, address: string): Promise<number> {
  const { rows } = await sql.query<{ count: number }>(
    `select coalesce(sum(count), 0)::int as count from audit_counts where type = $1 and client_address = $2`,
    [type, address],
  );
  return rows[0]?.count ?? 0;
}

/** The names of the users of whom counted events of a type speak. */
export async function readCountedUsers(sql: Sql, type: string): Promise<string[]> {
  const { rows } = await sql.query<{ username: string }>(
    "select u.username from audit_counts a join users u on u.id = a.user_id where a.type = $1",
    [type],
  );
  return rows.map(({ username }) => username);
}

/** How many events have been counted and are not settled yet. */
export async function countUnsettled(sql: Sql): Promise<number> {
  const { rows } = await sql.query<{ count: number }>(
    "select coalesce(sum(count), 0)::int as count from audit_counts",
  );
  return rows[0]?.count ?? -1;
}

/** Makes the counts two minutes older: their minute is over, and they can be settled. */
export async function ageCounts(sql: Sql): Promise<void> {
  await sql.query("update audit_counts set minute = minute - interval '2 minutes'");
}

/** Everything that the trail holds, as text. */
export async function readWholeTrail(sql: Sql): Promise<string> {
  const { rows } = await sql.query<{ text: string }>(
    "select row_to_json(e)::text as text from audit_events e union all select row_to_json(c)::text from audit_counts c",
  );
  return rows.map(({ text }) => text).join("\n");
}

/** An event that the service has not made. */
export interface NewEventRow {
  readonly type: string;
  readonly reason: string;
  /** When it happened, as an SQL expression; now where left out. */
  readonly at?: string;
  readonly actor?: "service" | "anonymous";
  readonly userId?: string | undefined;
  readonly address: string;
}

/** Adds an event. */
export async function insertEvent(sql: Sql, row: NewEventRow): Promise<void> {
  const { type, reason, at = "now()", actor = "service", userId = null, address } = row;
  await sql.query(
    `insert into audit_events (occurred_at, type, actor_kind, user_id, reason, client_address)
      values (${at}, $1, $2, $3, $4, $5)`,
    [type, actor, userId, reason, address],
  );
}

/** Adds so many alike, each so many milliseconds before the one before it. */
export async function insertEvents(
  sql: Sql,
  row: NewEventRow,
  count: number,
  apartMs: number,
): Promise<void> {
  const { type, reason, actor = "service", userId = null, address } = row;
  await sql.query(
    `insert into audit_events (occurred_at, type, actor_kind, user_id, reason, client_address)
      select now() - n * $7::int * interval '1 millisecond', $1, $2, $3, $4, $5::inet from generate_series(1, $6::int) as n`,
    [type, actor, userId, reason, address, count, apartMs],
  );
}

/** The events of a type from an address, settled or not: how many rows, how many events, and all as text. */
export async function sumFrom(
  sql: Sql,
  type: string,
  address: string,
): Promise<{ readonly rows: number; readonly count: number; readonly text: string } | undefined> {
  const columns = "type, reason, count, client_address, name_hmac, user_id, client_id";
  const { rows } = await sql.query<{ rows: number; count: number; text: string }>(
    `select count(*)::int as rows, sum(count)::int as count, string_agg(to_jsonb(a)::text, ' ') as text
      from (select ${columns} from audit_counts union all select ${columns} from audit_events) a
      where type = $1 and client_address = $2`,
    [type, address],
  );
  return rows[0];
}

/** A session's events with their times, to be shown when a test fails. */
export async function readSessionEvents(sql: Sql, sessionId: string): Promise<unknown[]> {
  const { rows } = await sql.query<object>(
    "select occurred_at, type, reason from audit_events where session_id = $1 order by id",
    [sessionId],
  );
  return rows;
}

/** An event, and who did it. */
export interface ActorRow extends EventRow {
  readonly actor_kind: string;
  readonly actor_id: string | null;
}

/** The events of an actor, or those with a reason, in order. */
export async function readEventsBy(
  sql: Sql,
  column: "actor_id" | "reason" | "client_id",
  value: string,
): Promise<ActorRow[]> {
  const { rows } = await sql.query<ActorRow>(
    `select type, actor_kind, actor_id, reason from audit_events where ${column} = $1 order by id`,
    [value],
  );
  return rows;
}
