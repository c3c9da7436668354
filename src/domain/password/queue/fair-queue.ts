/** A queue in which keys take turns: however many entries one key has, the others' come as soon. */
export interface FairQueue<T> {
  readonly size: number;
  /** How many keys have an entry. */
  readonly keyCount: number;
  lengthOf(key: string): number;
  add(key: string, entry: T): void;
  /** Takes an entry out, wherever it stands. */
  remove(key: string, entry: T): void;
  /** Takes out the entry whose turn it is; undefined where there is none. */
  takeNext(): T | undefined;
  /** The newest entry of the key that has the most. */
  findLastOfLongest(): { readonly key: string; readonly length: number; readonly entry: T } | undefined;
}

/** Creates an empty one. An entry may be in it once. */
export function createFairQueue<T>(): FairQueue<T> {
  // The order of the keys is the order of turns: who has had one goes to the end.
  const byKey = new Map<string, Set<T>>();
  let size = 0;

  const remove = (key: string, entry: T): void => {
    const entries = byKey.get(key);
    if (entries?.delete(entry) !== true) return;
    size -= 1;
    if (entries.size === 0) byKey.delete(key);
  };

  return {
    get size() {
      return size;
    },
    get keyCount() {
      return byKey.size;
    },
    lengthOf: (key) => byKey.get(key)?.size ?? 0,
    add(key, entry) {
      const entries = byKey.get(key);
      if (entries === undefined) byKey.set(key, new Set([entry]));
      else entries.add(entry);
      size += 1;
    },
    remove,
    takeNext() {
      for (const [key, entries] of byKey) {
        for (const entry of entries) {
          remove(key, entry);
          if (byKey.delete(key)) byKey.set(key, entries);
          return entry;
        }
      }
      return undefined;
    },
    findLastOfLongest() {
      let longest: [string, Set<T>] | undefined;
      for (const entry of byKey) if (entry[1].size > (longest?.[1].size ?? 0)) longest = entry;
      if (longest === undefined) return undefined;
      const [key, entries] = longest;
      const [entry] = [...entries].slice(-1);
      return entry === undefined ? undefined : { key, length: entries.size, entry };
    },
  };
}
