/** How far the process's clock is from the database's. Every time that is stored or issued comes from the database. */
export interface StoreClock {
  /** The database's time, as far as it is known, in milliseconds since the epoch. */
  now(): number;
  /** How far the database's clock is ahead of the process's, in milliseconds; 0 until it was measured. */
  skewMs(): number;
  /** Measures it. A measurement that took too long, or failed, changes nothing. */
  measure(): Promise<void>;
  /** Measures it again. @throws ClockSkewError while the clocks are far apart */
  check(): Promise<void>;
}

/** The failure of the check when the clocks are far apart. */
class ClockSkewError extends Error {
  override readonly name = "ClockSkewError";
}

/** A slower answer is not precise enough: its error is half of its round trip. */
const answerMsMax = 1_000;
/** What access tokens allow for verifiers' clocks (`nbf`). */
const skewMsMax = 5_000;

/** @param readMs the database's time, in milliseconds since the epoch */
export function createStoreClock(readMs: () => Promise<number>): StoreClock {
  let skewMs = 0;
  const measure = async (): Promise<void> => {
    const [sentAt, startedAt] = [Date.now(), performance.now()];
    const stored = await readMs();
    const tookMs = performance.now() - startedAt;
    if (tookMs <= answerMsMax) skewMs = stored - sentAt - tookMs / 2;
  };
  return {
    now: () => Date.now() + skewMs,
    skewMs: () => skewMs,
    measure: () => measure().catch(() => undefined),
    async check() {
      // Whether the database answers is another check's question.
      await measure().catch(() => undefined);
      if (Math.abs(skewMs) > skewMsMax) throw new ClockSkewError("the clocks differ");
    },
  };
}
