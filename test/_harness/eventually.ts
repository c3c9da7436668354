import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

/** Resolves once the condition holds, which is looked at every so often; rejects if it does not in time. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  withinMs = 5000,
  everyMs = 2,
): Promise<void> {
  const until = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > until) {
      throw new Error(`It did not come true within ${withinMs} ms.`);
    }
    // sleep: between two looks.
    await sleep(everyMs);
  }
}

/**
 * Does something until it gives an answer, as a client does that got none, or 503.
 *
 * @param run answers null for what is to be tried again
 * @throws Error where there was none in time, and whatever `run` throws
 */
export async function retry<T>(withinMs: number, run: () => Promise<T | null>): Promise<T> {
  let answer: T | null = null;
  await eventually(async () => (answer = await run()) !== null, withinMs, 20);
  // The loop above ends with an answer alone.
  return answer as T;
}

/** Resolves once a process is up; rejects as soon as it has ended, or if it is not up in time. */
export function untilUp(
  child: ChildProcess,
  isUp: () => boolean | Promise<boolean>,
  withinMs: number,
): Promise<void> {
  return eventually(
    () => {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error("The process has ended.");
      return isUp();
    },
    withinMs,
    20,
  );
}
