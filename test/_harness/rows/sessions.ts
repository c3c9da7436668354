import type { Sql } from "../sql.ts";

/** A session's row, as far as tests look at it. */
export interface SessionRow {
  readonly generation: bigint;
  readonly ended: boolean;
}

/** Reads a session by its public id, past the service. */
export async function readSession(sql: Sql, id: string): Promise<SessionRow> {
  const { rows } = await sql.query<{ generation: string; ended: boolean }>(
    "select generation::text, ended_at is not null as ended from sessions where id = $1",
    [id],
  );
  const [row] = rows;
  if (row === undefined) throw new Error("There is no such session.");
  return { generation: BigInt(row.generation), ended: row.ended };
}

const olderRotations =
  "rotated_at = array(select t - $2::float8 * interval '1 second' from unnest(rotated_at) with ordinality as r (t, i) order by i)";

/** Makes all of a session's rotations so many seconds older, as if that time had passed. */
export async function ageRotations(sql: Sql, id: string, seconds: number): Promise<void> {
  await change(sql, olderRotations, id, seconds);
}

/** Makes a session so many seconds older in all that it says of itself, as if that time had passed. */
export async function ageSession(sql: Sql, id: string, seconds: number): Promise<void> {
  const times = ["created_at", "last_used_at", "idle_expires_at", "expires_at"];
  const older = times.map((time) => `${time} = ${time} - $2::float8 * interval '1 second'`);
  await change(sql, [olderRotations, ...older].join(", "), id, seconds);
}

/** Lets a session be idle for too long. */
export function expireIdle(sql: Sql, id: string): Promise<void> {
  return change(sql, "idle_expires_at = now() - $2::int * interval '1 second'", id, 1);
}

/** Lets a session reach its greatest age. */
export function expireForGood(sql: Sql, id: string): Promise<void> {
  return change(sql, "expires_at = now() - $2::int * interval '1 second'", id, 1);
}

/** Lets a session end in so many seconds at the latest. */
export function limitLife(sql: Sql, id: string, seconds: number): Promise<void> {
  return change(sql, "expires_at = now() + $2::int * interval '1 second'", id, seconds);
}

/** Takes so many rotations back, as a store does that lost the writes of them. */
export function loseRotations(sql: Sql, id: string, count: number): Promise<void> {
  return change(
    sql,
    "generation = generation - $2::int, rotated_at = rotated_at[:greatest(0, cardinality(rotated_at) - $2::int)]",
    id,
    count,
  );
}

async function change(sql: Sql, set: string, id: string, value: unknown): Promise<void> {
  const { rowCount } = await sql.query(`update sessions set ${set} where id = $1`, [id, value]);
  if (rowCount !== 1) throw new Error("There is no such session.");
}

/** Gives a session's user so many further ones like it, whose tokens nobody has. */
export async function copySessions(sql: Sql, id: string, count: number): Promise<void> {
  await sql.query(
    `insert into sessions (handle_hash, id, user_id, client_id, scopes, secret_key_id, created_at, last_used_at,
       idle_expires_at, expires_at, amr)
     select sha256((id || n)::bytea), id || n, user_id, client_id, scopes, secret_key_id, created_at, last_used_at,
       idle_expires_at, expires_at, amr from sessions, generate_series(1, $2) n where id = $1`,
    [id, count],
  );
}

/** Ends sessions, past the service. */
export async function endSessions(sql: Sql, ids: readonly string[]): Promise<void> {
  await sql.query("update sessions set ended_at = now() where id = any ($1)", [ids]);
}

/** Deletes one session, or all. */
export async function deleteSessions(sql: Sql, id: string | null = null): Promise<void> {
  await sql.query("delete from sessions where $1::text is null or id = $1", [id]);
}

/** How a user proved who it is, as a session says it. */
export function setFactors(sql: Sql, id: string, amr: readonly string[]): Promise<void> {
  return change(sql, "amr = $2", id, amr);
}

/** Forgets where a session's user signed in from. */
export function forgetOrigin(sql: Sql, id: string): Promise<void> {
  return change(sql, "client_address = $2, user_agent = null", id, null);
}

/** Lets a session be idle for so many seconds more, and no longer. */
export function limitIdle(sql: Sql, id: string, seconds: number): Promise<void> {
  return change(sql, "idle_expires_at = now() + $2::int * interval '1 second'", id, seconds);
}

/** Takes all rotations back, as if there had been none. */
export function forgetRotations(sql: Sql, id: string): Promise<void> {
  return change(sql, "generation = $2, rotated_at = '{}', rotation_origin = null", id, 0);
}

/** When a session ends if it is not used. */
export interface IdleLimit {
  readonly daysLeft: number;
  /** Whether that is before its greatest age. */
  readonly withinAge: boolean;
}

/** Reads when a session ends if it is not used. */
export async function readIdleLimit(sql: Sql, id: string): Promise<IdleLimit> {
  const { rows } = await sql.query<IdleLimit>(
    `select extract(epoch from idle_expires_at - now())::float8 / 86400 as "daysLeft",
       idle_expires_at <= expires_at as "withinAge" from sessions where id = $1`,
    [id],
  );
  const [row] = rows;
  if (row === undefined) throw new Error("There is no such session.");
  return row;
}

/** How many sessions there are, by one user or by all. */
export async function countSessions(sql: Sql, userId: string | null = null): Promise<number> {
  return countWhere(sql, "$1::text is null or user_id = $1", userId);
}

/** How many sessions have not been ended. */
export async function countLiveSessions(sql: Sql): Promise<number> {
  return countWhere(sql, "$1::text is null and ended_at is null", null);
}

async function countWhere(sql: Sql, condition: string, value: string | null): Promise<number> {
  const text = `select count(*)::int as count from sessions where ${condition}`;
  const { rows } = await sql.query<{ count: number }>(text, [value]);
  return rows[0]?.count ?? -1;
}

/** The hash of the handle in a session's refresh token. */
export async function readHandleHash(sql: Sql, id: string): Promise<Buffer> {
  const { rows } = await sql.query<{ hash: Buffer }>(
    "select handle_hash as hash from sessions where id = $1",
    [id],
  );
  const [row] = rows;
  if (row === undefined) throw new Error("There is no such session.");
  return row.hash;
}

/** Every session and when it ended, to see that nothing changes. */
export async function readAllEnds(sql: Sql): Promise<unknown[]> {
  return (await sql.query<object>("select id, ended_at from sessions order by id")).rows;
}

/** Adds live sessions of a user, whose refresh tokens nobody holds. */
export async function insertSessions(sql: Sql, userId: string, count: number): Promise<void> {
  await sql.query(
    `insert into sessions (handle_hash, id, user_id, client_id, scopes, secret_key_id,
        created_at, last_used_at, idle_expires_at, expires_at)
      select sha256(('crowd ' || i)::bytea), 'ses_crowd' || i, $1, 'countersign', '{}', 'none',
        now(), now(), now() + interval '1 day', now() + interval '1 day'
      from generate_series(1, $2::int) i`,
    [userId, count],
  );
}

/** Adds sessions of a user that are two days dead: a third by idleness, by their age, and by their end. */
export async function insertDeadSessions(sql: Sql, userId: string, count: number): Promise<void> {
  await sql.query(
    `insert into sessions (handle_hash, id, user_id, client_id, scopes, secret_key_id, created_at, last_used_at,
        idle_expires_at, expires_at, ended_at)
      select sha256(i::text::bytea), i::text, $1, 'countersign', '{}', '', now(), now(),
        now() + (case when i % 3 = 0 then '-2 days' else '1 day' end)::interval,
        now() + (case when i % 3 = 1 then '-2 days' else '1 day' end)::interval,
        case when i % 3 = 2 then now() - interval '2 days' end
      from generate_series(1, $2::int) i`,
    [userId, count],
  );
}

/** A session's times and rotations, to be shown when a test fails. */
export async function readTimes(sql: Sql, id: string): Promise<unknown> {
  const { rows } = await sql.query<object>(
    "select now(), ended_at, generation, rotated_at, idle_expires_at from sessions where id = $1",
    [id],
  );
  return rows[0];
}

/** Whether every one of these sessions has been rotated once, and says when and by whom. */
export async function haveRotatedOnce(sql: Sql, ids: readonly string[]): Promise<boolean> {
  const { rows } = await sql.query<{ all: boolean }>(
    `select bool_and(last_used_at > created_at and idle_expires_at > created_at + interval '30 days'
       and cardinality(rotated_at) = 1 and octet_length(rotation_origin) = 8) as all
      from sessions where id = any ($1)`,
    [ids],
  );
  return rows[0]?.all ?? false;
}
