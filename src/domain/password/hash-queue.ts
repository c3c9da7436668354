import { AppError } from "../errors.ts";

/** Admits password hashes: at most so many at once, at most so many waiting, first come first served. */
export interface HashQueue {
  /**
   * Runs a hash when its turn has come.
   *
   * @param signal a caller who has gone leaves the queue at once
   * @throws AppError overloaded, with the wait that the measured rate suggests, when the queue is full
   */
  run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

interface Waiter {
  start(): void;
}

const smoothing = 0.1;

/** @param options `concurrency` hashes at once, `queueMax` waiting */
export function createHashQueue(options: {
  readonly concurrency: number;
  readonly queueMax: number;
}): HashQueue {
  const waiting = new Set<Waiter>();
  let running = 0;
  let meanMs = 0;

  const retryAfterMs = (): number => Math.ceil(((waiting.size + 1) * meanMs) / options.concurrency);

  const admit = (signal: AbortSignal | undefined): Promise<void> => {
    if (running < options.concurrency) {
      running += 1;
      return Promise.resolve();
    }
    if (waiting.size >= options.queueMax) {
      const detail = "Too many logins are under way. Try again later.";
      return Promise.reject(new AppError("overloaded", detail, { retryAfterMs: retryAfterMs() }));
    }
    return wait(waiting, signal);
  };

  // A place is handed on, never given back while somebody waits: nobody can slip in between.
  const release = (): void => {
    const [next] = waiting;
    if (next === undefined) running -= 1;
    else next.start();
  };

  return {
    async run(task, signal) {
      signal?.throwIfAborted();
      await admit(signal);
      const startedAt = performance.now();
      try {
        return await task();
      } finally {
        const tookMs = performance.now() - startedAt;
        meanMs = meanMs === 0 ? tookMs : meanMs + smoothing * (tookMs - meanMs);
        release();
      }
    },
  };
}

function wait(waiting: Set<Waiter>, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      waiting.delete(waiter);
      // Whoever aborts says why, with an Error.
      reject(signal?.reason as Error);
    };
    const waiter: Waiter = {
      start() {
        waiting.delete(waiter);
        signal?.removeEventListener("abort", leave);
        resolve();
      },
    };
    waiting.add(waiter);
    signal?.addEventListener("abort", leave, { once: true });
  });
}
