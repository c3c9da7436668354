/** Somebody's claim to one of the things that an allowance counts. */
export interface Held {
  /** Gives it back. More than once is as good as once. */
  release(): void;
}

/** Why there is no more: the holder has its share, or all of them together have everything. */
export type Refusal = "address" | "process";

/** How many of one kind of thing peers may hold at a time. */
export interface Allowance {
  /**
   * @param holder who is charged; null for one whose share is not bounded, such as a proxy that stands for many
   * @param evict ends the thing to make room for somebody who holds less; null if it must not be ended
   */
  take(holder: string | null, evict: (() => void) | null): Held | Refusal;
  /** How many are held. */
  held(): number;
}

/** How much of an allowance one address can have. */
const shareOfAll = 4;

interface Entry {
  readonly evict: (() => void) | null;
}

/**
 * Counts what peers hold, in all and for each holder, who may have at most a quarter. When all is in use, a holder with
 * fewer replaces the oldest of the holder with the most, so that greedy holders keep nobody out. A holder without a limit
 * always gets a place, and loses none.
 *
 * @param totalMax how many there are; read each time
 */
export function createAllowance(totalMax: () => number): Allowance {
  const holders = new Map<string | null, Set<Entry>>();
  let total = 0;

  const forget = (holder: string | null, entry: Entry): void => {
    const entries = holders.get(holder);
    if (entries?.delete(entry) !== true) return;
    total -= 1;
    if (entries.size === 0) holders.delete(holder);
  };

  /** @returns whether there is room now */
  const makeRoom = (holder: string | null): boolean => {
    let heaviest: string | null = null;
    let most = 0;
    for (const [candidate, { size }] of holders) {
      if (candidate !== null && size > most) [heaviest, most] = [candidate, size];
    }
    // Whoever stands for many gets it in any case: else many addresses with few each would keep out all behind it.
    if (holder !== null && most <= (holders.get(holder)?.size ?? 0) + 1) return false;
    if (heaviest === null) return false;
    for (const entry of holders.get(heaviest) ?? []) {
      if (entry.evict === null) continue;
      forget(heaviest, entry);
      entry.evict();
      return true;
    }
    return false;
  };

  return {
    take(holder, evict) {
      const max = totalMax();
      const own = holders.get(holder);
      if (holder !== null && own !== undefined && own.size >= Math.ceil(max / shareOfAll)) return "address";
      if (total >= max && !makeRoom(holder)) return "process";
      const entry: Entry = { evict };
      const entries = holders.get(holder) ?? new Set();
      holders.set(holder, entries.add(entry));
      total += 1;
      return { release: () => forget(holder, entry) };
    },
    held: () => total,
  };
}
