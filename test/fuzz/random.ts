/** A source of choices that a seed and a number repeat exactly. */
export interface Random {
  /** A whole number from 0 to below the limit. */
  below(limit: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  bytes(length: number): Buffer;
  /** So many of what is made, up to the limit. */
  many<T>(limit: number, make: () => T): T[];
}

/** @param index which of the seed's requests it is for: each has a sequence of its own */
export function createRandom(seed: number, index: number): Random {
  // Mulberry32, begun at a mix of both numbers.
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (limit: number): number => next() % limit;
  return {
    below,
    chance: (probability) => next() < probability * 2 ** 32,
    pick<T>(list: readonly T[]): T {
      const found = list[below(list.length)];
      if (found === undefined && list.length === 0) throw new Error("there is nothing to pick from");
      return found as T;
    },
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))),
    many: (limit, make) => Array.from({ length: below(limit + 1) }, make),
  };
}
