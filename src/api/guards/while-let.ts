import { setTimeout as sleep } from "node:timers/promises";
import { unlessAborted } from "../../lib/unless-aborted.ts";
import { runCall } from "../../lib/work.ts";
import type { Call } from "../call.ts";
import type { Guard } from "./guard.ts";

/** How long a guard waits before it looks at a stream again. */
const pauseMs = 1_000;

/**
 * Passes a stream's answers on for as long as its guards let it go on: a caller whose session or permission has ended gets
 * no more of them, whether the stream has something to say or not.
 *
 * @throws AppError of the guard that ends it
 */
export async function* whileLet<Answer>(
  durings: readonly NonNullable<Guard["during"]>[],
  call: Call,
  answers: AsyncIterable<Answer>,
): AsyncGenerator<Answer> {
  if (durings.length === 0) {
    yield* answers;
    return;
  }
  const refused = new AbortController();
  const over = new AbortController();
  lookAgain(durings, call, over.signal).catch((error: unknown) => refused.abort(error));
  const iterator = answers[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await unlessAborted(iterator.next(), refused.signal);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    over.abort();
    // It may wait for something of its own, and is not waited for.
    iterator.return?.().catch(() => undefined);
  }
}

async function lookAgain(
  durings: readonly NonNullable<Guard["during"]>[],
  call: Call,
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    await sleep(pauseMs, null, { signal: over }).catch(() => undefined);
    if (over.aborted) return;
    for (const during of durings) await runCall(() => during(call));
  }
}
