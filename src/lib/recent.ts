/** What was asked of a store within the last second, counted from before it was asked. */
export interface Recent<Value> {
  /** The answer to a key, which may still be on its way; null where nobody has asked lately. */
  find(key: string): Promise<Value> | null;
  /**
   * Asks, and remembers the answer. A failure is not remembered.
   *
   * @param subject what it is about, to be forgotten by
   */
  ask(subject: string, key: string, ask: () => Promise<Value>): Promise<Value>;
  /** Forgets all answers about a subject, those on their way too: it has changed. */
  forget(subject: string): void;
}

interface Known<Value> {
  readonly askedAtMs: number;
  /** Its place in the order of all that was asked and forgotten. */
  readonly order: number;
  readonly subject: string;
  readonly answer: Promise<Value>;
}

interface Forgotten {
  readonly atMs: number;
  readonly order: number;
}

const ageMaxMs = 1_000;
const knownMax = 10_000;

/**
 * Remembers at most 10,000 answers.
 *
 * @param isKept whether an answer is to be remembered once it is there; by default each is
 */
export function createRecent<Value>(isKept: (value: Value) => boolean = () => true): Recent<Value> {
  // The oldest first: an entry is never changed, only added anew.
  const known = new Map<string, Known<Value>>();
  const forgotten = new Map<string, Forgotten>();
  let order = 0;

  const dropOld = (now: number): void => {
    for (const [key, { askedAtMs }] of known) {
      if (now - askedAtMs < ageMaxMs && known.size < knownMax) break;
      known.delete(key);
    }
    // What was asked before is dropped by now.
    for (const [subject, { atMs }] of forgotten) {
      if (now - atMs <= ageMaxMs) break;
      forgotten.delete(subject);
    }
  };

  const isForgotten = ({ subject, order: askedAs }: Known<Value>): boolean =>
    askedAs < (forgotten.get(subject)?.order ?? 0);

  return {
    find(key) {
      dropOld(performance.now());
      const found = known.get(key);
      return found === undefined || isForgotten(found) ? null : found.answer;
    },
    ask(subject, key, ask) {
      const askedAtMs = performance.now();
      const answer = ask();
      const entry = { askedAtMs, order: (order += 1), subject, answer };
      const drop = (): void => {
        if (known.get(key) === entry) known.delete(key);
      };
      known.delete(key);
      known.set(key, entry);
      answer.then((value) => {
        if (!isKept(value)) drop();
      }, drop);
      return answer;
    },
    forget(subject) {
      forgotten.delete(subject);
      forgotten.set(subject, { atMs: performance.now(), order: (order += 1) });
    },
  };
}
