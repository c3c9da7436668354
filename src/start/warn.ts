import type { Log } from "../ops/logger.ts";

/** For work in the background that is tried again: its failure is told and not thrown. */
export function warn(log: Log, message: string): (error: unknown) => void {
  return (error) => log.warn({ err: error }, message);
}

/** The same for work that is tried again every second: told once, until it has succeeded. */
export function warnOnce(
  log: Log,
  message: string,
): {
  readonly warn: (error: unknown) => void;
  readonly over: () => void;
} {
  let told = false;
  return {
    warn(error) {
      if (!told) log.warn({ err: error }, message);
      told = true;
    },
    over() {
      told = false;
    },
  };
}
