import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const windowMs = 2_000;
/** The part of all processors' time that others may take. */
const busyMax = 0.05;

/**
 * Waits until nothing else is running on the machine.
 *
 * @returns the part of the processors' time that others took at last; above 0.05 where the machine was not quiet
 */
export async function waitForQuiet(timeoutMs: number): Promise<number> {
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    const before = readTicks();
    await sleep(windowMs);
    const after = readTicks();
    const busy = 1 - (after.idle - before.idle) / Math.max(1, after.all - before.all);
    if (busy <= busyMax || performance.now() >= giveUpAt) return busy;
  }
}

/** Whether that is quiet. */
export function isQuiet(busy: number): boolean {
  return busy <= busyMax;
}

/** proc_stat(5): the first line is the sum of all processors; the fourth and fifth figure are idle and iowait. */
function readTicks(): { all: number; idle: number } {
  const [line = ""] = readFileSync("/proc/stat", "utf8").split("\n");
  const figures = line.trim().split(/\s+/).slice(1).map(Number);
  return {
    all: figures.slice(0, 8).reduce((total, ticks) => total + ticks, 0),
    idle: (figures[3] ?? 0) + (figures[4] ?? 0),
  };
}
