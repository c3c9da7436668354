import type { Log } from "../ops/logger.ts";

const warnPeriodMs = 60_000;

/** For work in the background that is tried again: its failure is told and not thrown. */
export function warn(log: Log, message: string): (error: unknown) => void {
  return (error) => log.warn({ err: error }, message);
}

/**
 * For what callers can cause any number of times: at most one line a minute, which counts those since the last.
 *
 * @returns what is called each time, with a word for the cause
 */
export function warnRarely(log: Log, message: string): (cause: string) => void {
  const causes = new Set<string>();
  let [count, quietUntil] = [0, -Infinity];
  return (cause) => {
    causes.add(cause);
    count += 1;
    if (performance.now() < quietUntil) return;
    quietUntil = performance.now() + warnPeriodMs;
    log.warn({ count, causes: [...causes] }, message);
    causes.clear();
    count = 0;
  };
}
