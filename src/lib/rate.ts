import { parseDurationMs } from "./duration.ts";

/** How often something may happen. */
export interface Rate {
  /** How many times in each period, spread evenly. */
  readonly count: number;
  readonly periodMs: number;
  /** How many times at once, after a pause. */
  readonly burst: number;
}

const countMax = 1_000_000;
const periodMinMs = 1_000;
const periodMaxMs = 30 * 86_400_000;

/**
 * Reads a rate such as `60/1m` or `60/1m burst 20`. Without a burst, all of a period's count may come at once.
 *
 * @returns null for anything else: counts are from 1 to a million, periods from 1s to 30d
 */
export function parseRate(text: string): Rate | null {
  const match = /^(\d{1,7})\/(\d+(?:s|m|h|d))(?: burst (\d{1,7}))?$/.exec(text);
  if (match === null) return null;
  const [, countText = "", periodText = "", burstText = countText] = match;
  const count = Number(countText);
  const burst = Number(burstText);
  const periodMs = parseDurationMs(periodText);
  if (periodMs === null || periodMs < periodMinMs || periodMs > periodMaxMs) return null;
  const isCount = (value: number): boolean => value >= 1 && value <= countMax;
  return isCount(count) && isCount(burst) ? { count, periodMs, burst } : null;
}
