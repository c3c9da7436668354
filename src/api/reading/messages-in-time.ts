import { AppError } from "../../errors/app-error.ts";
import { unlessAborted } from "../../lib/unless-aborted.ts";
import { requireGoingOn } from "./stream-end.ts";

/** The longest that a timer takes. */
const timerMsMax = 2 ** 31 - 1;

/**
 * The messages of a call that sends a stream, until it ends.
 *
 * @param idleMs how long the caller may send nothing
 * @param signal ends it
 * @throws AppError request_timeout where no message comes in time; unavailable, deadline_exceeded or cancelled where the
 *   stream is ended early
 */
export async function* messagesInTime<Message>(
  messages: AsyncIterable<Message>,
  idleMs: number,
  signal: AbortSignal,
): AsyncGenerator<Message> {
  const over = new AbortController();
  const tooLate = (): void => over.abort(new AppError("request_timeout", "No message came in time."));
  // It does not run while a message is dealt with.
  const wait = () => setTimeout(tooLate, Math.min(idleMs, timerMsMax)).unref();
  let idle = wait();
  const end = (): void => {
    try {
      requireGoingOn(signal);
    } catch (error) {
      over.abort(error);
    }
  };
  signal.addEventListener("abort", end, { once: true });
  end();
  const iterator = messages[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await unlessAborted(iterator.next(), over.signal);
      if (next.done === true) return;
      clearTimeout(idle);
      yield next.value;
      idle = wait();
    }
  } finally {
    clearTimeout(idle);
    signal.removeEventListener("abort", end);
    // It may wait for the caller, who is not waited for.
    iterator.return?.().catch(() => undefined);
  }
}
