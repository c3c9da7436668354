/** Lets each of many have some work done in one turn of the event loop, and the rest in the turns after it. */
export interface Turns<Key extends object> {
  /** Does the work at once, or when it is its key's turn. */
  run(key: Key, work: () => void): void;
}

/** How long a turn may do such work for. */
const turnMs = 10;

/** What a key has had done in this turn, and what waits. */
interface Line {
  done: number;
  readonly waiting: (() => void)[];
}

/**
 * A peer that sends a hundred requests in one packet delays the others only by the first few; the rest is done
 * one for each key in turn, a few milliseconds at a time.
 *
 * @param atOnceMax how much is done for one key as it comes
 */
export function createTurns<Key extends object>(atOnceMax: number): Turns<Key> {
  const lines = new Map<Key, Line>();
  let spentMs = 0;

  const timed = (work: () => void): void => {
    const startedAt = performance.now();
    work();
    spentMs += performance.now() - startedAt;
  };

  const nextTurn = (): void => {
    spentMs = 0;
    for (const [key, line] of lines) {
      if (line.waiting.length === 0) lines.delete(key);
      line.done = 0;
    }
    // A map is walked in the order of insertion, what is inserted meanwhile included: round after round.
    for (const [key, line] of lines) {
      if (spentMs >= turnMs) break;
      lines.delete(key);
      const work = line.waiting.shift();
      if (work === undefined) continue;
      lines.set(key, line);
      timed(work);
    }
    if (lines.size > 0) setImmediate(nextTurn);
  };

  return {
    run(key, work) {
      let line = lines.get(key);
      if (line === undefined) {
        if (lines.size === 0) setImmediate(nextTurn);
        line = { done: 0, waiting: [] };
        lines.set(key, line);
      }
      if (line.waiting.length > 0 || line.done >= atOnceMax || spentMs >= turnMs) {
        line.waiting.push(work);
        return;
      }
      line.done += 1;
      timed(work);
    },
  };
}
