/** Keeps callers from a server that does not answer. */
export interface Breaker {
  /** Whether the server is to be asked. */
  readonly closed: boolean;
  /** Reports a call that failed because of the server: no call is sent to it until a probe has succeeded. */
  open(): void;
  stop(): void;
}

/** What a breaker is made of. */
export interface BreakerOptions {
  /** Asks the server for something like what callers want. @throws where it does not answer */
  probe(): Promise<void>;
  readonly probeEveryMs: number;
  /** Called after every change. */
  onChange(closed: boolean): void;
}

/**
 * A circuit breaker that opens with the first failure and is closed by a probe in the background, never by
 * a caller's request. Opening it too often costs little: callers have another way.
 */
export function createBreaker(options: BreakerOptions): Breaker {
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;

  const probeLater = (): void => {
    if (stopped) return;
    timer = setTimeout(() => {
      options.probe().then(close, probeLater);
    }, options.probeEveryMs).unref();
  };
  const close = (): void => {
    timer = null;
    if (!stopped) options.onChange(true);
  };
  return {
    get closed() {
      return timer === null;
    },
    open() {
      if (timer !== null || stopped) return;
      probeLater();
      options.onChange(false);
    },
    stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}
