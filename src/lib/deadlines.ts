/** Something that must be over in time. */
export interface Deadline {
  /** It is over. More than once is as good as once. */
  stop(): void;
}

/** Deadlines of one length. */
export interface Deadlines {
  readonly lengthMs: number;
  /** @param onLate called where nobody has stopped the deadline in time; must not throw */
  start(onLate: () => void): Deadline;
}

/** One timer for all: most things are over long before, and a timer for each would cost more than they do. */
export function createDeadlines(lengthMs: number): Deadlines {
  // In the order of their ends, since all have the same length.
  const running = new Set<Running>();
  let timer: NodeJS.Timeout | null = null;

  const ring = (): void => {
    const now = performance.now();
    for (const one of running) {
      // A timer may be early by a part of a millisecond.
      if (one.endsAt - now >= 1) {
        timer = setTimeout(ring, one.endsAt - now).unref();
        return;
      }
      running.delete(one);
      // What it starts anew is found at the end of this walk.
      one.onLate();
    }
    timer = null;
  };

  return {
    lengthMs,
    start(onLate) {
      const one = new Running(running, performance.now() + lengthMs, onLate);
      running.add(one);
      timer ??= setTimeout(ring, lengthMs).unref();
      return one;
    },
  };
}

/** A deadline of a length that few others have: it has a timer of its own. */
export function createOwnDeadline(lengthMs: number): Deadlines {
  return {
    lengthMs,
    start(onLate) {
      const timer = setTimeout(onLate, lengthMs);
      return { stop: () => clearTimeout(timer) };
    },
  };
}

class Running implements Deadline {
  readonly endsAt: number;
  readonly onLate: () => void;
  readonly #all: Set<Running>;

  constructor(all: Set<Running>, endsAt: number, onLate: () => void) {
    this.#all = all;
    this.endsAt = endsAt;
    this.onLate = onLate;
  }

  stop(): void {
    this.#all.delete(this);
  }
}
