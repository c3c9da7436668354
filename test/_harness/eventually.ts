import { setTimeout as delay } from "node:timers/promises";

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
    await delay(everyMs);
  }
}
