/**
 * Measures how fast hashes are done, and tells how long callers will wait while all places are taken. Times
 * are milliseconds; they are 0 while nothing has been measured.
 */
export interface ServiceRate {
  /** A hash has taken so long, from its start to its end. */
  record(ranMs: number): void;
  /** When the hash starts that stands at a place of the queue; the first is 1. */
  startsInMs(place: number): number;
  /** When it ends. */
  endsInMs(place: number): number;
  /**
   * When a caller who cannot be taken now should come back. Each is given a time of its own, as far behind
   * the last one's as a hash takes, so that they come back at the rate at which they can be served and not
   * all at once. At most half a minute.
   *
   * @param place the first that is not taken
   */
  scheduleReturnMs(place: number, now: number): number;
}

const smoothing = 0.1;
const returnMaxMs = 30_000;

/** @param concurrency hashes at once */
export function createServiceRate(concurrency: number): ServiceRate {
  let meanMs = 0;
  let lastReturnAt = 0;
  // Little's law: with so many under way, one ends in every such part of the time that one takes.
  const startsInMs = (place: number): number => (place * meanMs) / concurrency;
  return {
    record(ranMs) {
      meanMs = meanMs === 0 ? ranMs : meanMs + smoothing * (ranMs - meanMs);
    },
    startsInMs,
    endsInMs: (place) => startsInMs(place) + meanMs,
    scheduleReturnMs(place, now) {
      const earliest = Math.max(now + startsInMs(place), lastReturnAt + startsInMs(1));
      lastReturnAt = Math.min(earliest, now + returnMaxMs);
      return lastReturnAt - now;
    },
  };
}
