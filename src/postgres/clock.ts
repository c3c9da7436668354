import type { Queryable } from "./database.ts";

const now = { name: "clock.now", text: "select floor(extract(epoch from now()))::int as seconds" };

const exactly = {
  name: "clock.exactly",
  text: "select extract(epoch from clock_timestamp())::float8 * 1000 as ms",
};

/** The database's time at the moment, in milliseconds since the epoch. */
export async function readClockMs(db: Queryable): Promise<number> {
  const [row] = await db.query<{ ms: number }>(exactly);
  if (row === undefined) throw new Error("the database returned no time");
  return row.ms;
}

/** The database's time, in seconds since the epoch: the one clock that all instances share. */
export async function readClock(db: Queryable): Promise<number> {
  const [row] = await db.query<{ seconds: number }>(now);
  if (row === undefined) throw new Error("the database returned no time");
  return row.seconds;
}
