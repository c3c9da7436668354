import { createRecent } from "../lib/recent.ts";
import type { Queryable } from "./database.ts";

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

/** The database's time, in seconds since the epoch: the one clock that all instances share. @throws AppError unavailable */
export type Clock = () => Promise<number>;

/** Asks the database once a second at most, and adds what has passed since. */
export function createClock(db: Queryable): Clock {
  const recent = createRecent<{ readonly ms: number; readonly readAtMs: number }>();
  const read = async () => ({ ms: await readClockMs(db), readAtMs: performance.now() });
  return async () => {
    const { ms, readAtMs } = await (recent.find("") ?? recent.ask("", "", read));
    return Math.floor((ms + performance.now() - readAtMs) / 1000);
  };
}
