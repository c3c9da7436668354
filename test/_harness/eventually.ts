import { setTimeout as delay } from "node:timers/promises";

/** Resolves once the condition holds, which is looked at every few milliseconds; rejects if it does not within 5 s. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  const until = performance.now() + 5000;
  while (!(await condition())) {
    if (performance.now() > until) {
      throw new Error("It did not come true within 5 s.");
    }
    await delay(2);
  }
}
