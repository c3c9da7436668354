import type { Queryable } from "../postgres/pool.ts";

const periodMs = 30_000;
const clock = {
  name: "clock.precise",
  text: "select extract(epoch from clock_timestamp())::float8 * 1000 as ms",
};

/** What is told of the clock. */
export interface ClockObserver {
  onSkew(seconds: number): void;
}

/**
 * Compares this machine's clock with the database's, now and every 30 s. An answer that took its time says
 * little, and is off by half of that time at most. A database that does not answer is others' to tell of.
 *
 * @param observer told how many seconds this clock is ahead
 * @returns what stops it
 */
export function watchClock(db: Queryable, observer: ClockObserver): () => void {
  const look = async (): Promise<void> => {
    const askedAt = Date.now();
    const [row] = await db.query<{ ms: number }>(clock);
    const answeredAt = Date.now();
    if (row !== undefined) observer.onSkew(((askedAt + answeredAt) / 2 - row.ms) / 1000);
  };
  const tick = (): void => void look().catch(() => undefined);
  tick();
  const timer = setInterval(tick, periodMs).unref();
  return () => clearInterval(timer);
}
