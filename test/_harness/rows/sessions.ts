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

async function change(sql: Sql, set: string, id: string, value: number): Promise<void> {
  const { rowCount } = await sql.query(`update sessions set ${set} where id = $1`, [id, value]);
  if (rowCount !== 1) throw new Error("There is no such session.");
}
