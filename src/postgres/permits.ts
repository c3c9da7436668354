import { type WorkKind, workKinds } from "../lib/work.ts";

/** Decides who may have a connection: at most `max` at once, and for each kind of work no more than its share. */
export interface Permits {
  /**
   * Calls `grant` as soon as a permit is free, possibly at once. The longest-waiting request comes first.
   *
   * @returns a function that withdraws the request; it has no effect after the grant
   */
  request(kind: WorkKind, grant: () => void): () => void;
  /** Takes a permit if one is free and nobody of the kind waits. */
  take(kind: WorkKind): boolean;
  /** Returns a permit. */
  release(kind: WorkKind): void;
  readonly held: number;
  readonly waiting: number;
}

interface Waiter {
  readonly order: number;
  readonly grant: () => void;
}

/**
 * Shares of `max`. Refreshes and reads are short, and may use all. Each kind may always hold one, whatever the others
 * hold, so there can be five more than `max` if everything is stuck.
 */
const shares: Readonly<Record<WorkKind, number>> = {
  login: 1 / 2,
  refresh: 1,
  read: 1,
  change: 1 / 2,
  search: 1 / 4,
  background: 1 / 2,
};

/** Makes the permits; all are free. */
export function createPermits(max: number): Permits {
  const kinds = new Map(
    workKinds.map((kind) => [
      kind,
      { share: Math.max(1, Math.ceil(max * shares[kind])), held: 0, queue: new Set<Waiter>() },
    ]),
  );
  let held = 0;
  let order = 0;

  const at = (kind: WorkKind) => {
    const state = kinds.get(kind);
    if (state === undefined) throw new Error(`There is no work of the kind ${kind}.`);
    return state;
  };

  const waiting = (): number => {
    let count = 0;
    for (const { queue } of kinds.values()) count += queue.size;
    return count;
  };

  function take(kind: WorkKind): boolean {
    const state = at(kind);
    const isFree = state.held === 0 || (held < max && state.held < state.share);
    if (isFree) {
      state.held += 1;
      held += 1;
    }
    return isFree;
  }

  function grantNext(): void {
    if (waiting() === 0) return;
    const heads = workKinds
      .flatMap((kind) => [...at(kind).queue].slice(0, 1).map((waiter) => ({ kind, waiter })))
      .toSorted((a, b) => a.waiter.order - b.waiter.order);
    for (const { kind, waiter } of heads) {
      if (!take(kind)) continue;
      at(kind).queue.delete(waiter);
      waiter.grant();
      grantNext();
      return;
    }
  }

  const takeFirst = (kind: WorkKind): boolean => at(kind).queue.size === 0 && take(kind);

  return {
    take: takeFirst,
    request(kind, grant) {
      const { queue } = at(kind);
      if (takeFirst(kind)) {
        grant();
        return () => undefined;
      }
      const waiter = { order: (order += 1), grant };
      queue.add(waiter);
      return () => queue.delete(waiter);
    },
    release(kind) {
      at(kind).held -= 1;
      held -= 1;
      grantNext();
    },
    get held() {
      return held;
    },
    get waiting() {
      return waiting();
    },
  };
}
