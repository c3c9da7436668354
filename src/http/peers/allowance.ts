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

/**
 * Counts what peers hold, in all and for each holder, who may have at most a quarter. When all is in use, a holder with
 * fewer replaces the oldest of the holder with the most, so that greedy holders keep nobody out. A holder without a limit
 * always gets a place, and loses none.
 *
 * @param totalMax how many there are; read each time
 */
export function createAllowance(totalMax: () => number): Allowance {
  const books: Books = { shares: new Map(), total: 0 };
  const { shares } = books;

  /** @returns whether there is room now */
  const makeRoom = (holder: string | null): boolean => {
    let heaviest: string | null = null;
    let most = 0;
    for (const [candidate, { size }] of shares) {
      if (candidate !== null && size > most) [heaviest, most] = [candidate, size];
    }
    // Whoever stands for many gets it in any case: else many addresses with few each would keep out all behind it.
    if (holder !== null && most <= (shares.get(holder)?.size ?? 0) + 1) return false;
    if (heaviest === null) return false;
    for (const entry of shares.get(heaviest) ?? []) {
      if (entry.evict === null) continue;
      entry.release();
      entry.evict();
      return true;
    }
    return false;
  };

  return {
    take(holder, evict) {
      const max = totalMax();
      const own = shares.get(holder);
      if (holder !== null && own !== undefined && own.size >= Math.ceil(max / shareOfAll)) return "address";
      if (books.total >= max && !makeRoom(holder)) return "process";
      return new Entry(books, holder, evict);
    },
    held: () => books.total,
  };
}

/** Who holds what, each holder's oldest first. */
interface Books {
  readonly shares: Map<string | null, Set<Entry>>;
  total: number;
}

class Entry implements Held {
  readonly evict: (() => void) | null;
  readonly #books: Books;
  readonly #holder: string | null;

  constructor(books: Books, holder: string | null, evict: (() => void) | null) {
    this.evict = evict;
    this.#books = books;
    this.#holder = holder;
    const own = books.shares.get(holder);
    if (own === undefined) books.shares.set(holder, new Set<Entry>().add(this));
    else own.add(this);
    books.total += 1;
  }

  release(): void {
    const own = this.#books.shares.get(this.#holder);
    if (own?.delete(this) !== true) return;
    this.#books.total -= 1;
    if (own.size === 0) this.#books.shares.delete(this.#holder);
  }
}
