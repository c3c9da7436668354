/** How long a caller may ask nothing. */
export interface Patience {
  readonly idleMs: number;
  /** Aborted when no more is to be answered. */
  readonly signal: AbortSignal;
}

/** What a stream of requests brings, until it ends, is silent for too long, or the signal aborts. */
export async function* questionsInTime<Request>(
  requests: AsyncIterable<Request>,
  { idleMs, signal }: Patience,
): AsyncGenerator<Request> {
  const iterator = requests[Symbol.asyncIterator]();
  const over = Promise.withResolvers<null>();
  const end = (): void => over.resolve(null);
  const idle = setTimeout(end, idleMs).unref();
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), over.promise]);
      if (next === null || next.done === true) return;
      idle.refresh();
      yield next.value;
    }
  } finally {
    clearTimeout(idle);
    signal.removeEventListener("abort", end);
    // It may wait for the caller, who is not waited for.
    iterator.return?.().catch(() => undefined);
  }
}
