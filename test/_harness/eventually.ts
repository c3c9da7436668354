import { setTimeout as delay } from "node:timers/promises";

/** Resolves once the condition holds, which is looked at every 2 ms; rejects if it does not within 5 s. */
export async function eventually(condition: () => boolean): Promise<void> {
  const until = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > until) {
      throw new Error("It did not come true within 5 s.");
    }
    await delay(2);
  }
}
