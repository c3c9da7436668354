import { createHmac, type KeyObject } from "node:crypto";

/** A hash format that is in use, and how many users have it. */
export interface FormatCount {
  readonly format: string;
  readonly count: number;
}

/**
 * Chooses the format that a login for an unknown name is hashed with: one of those in use, in the
 * proportion in use, and always the same for the same name. A fixed one would tell unknown names
 * from known ones by their time as soon as two costs are stored side by side.
 */
export interface Decoys {
  /** @param name the folded name */
  choose(name: string): string;
  /** Tells what is in use now. */
  update(counts: readonly FormatCount[]): void;
}

/**
 * @param key the 32-byte key of the HMAC that places names: without it nobody can tell which
 *   format a name would get
 * @param fallback the format of new hashes, used while nothing is known
 */
export function createDecoys(key: KeyObject, fallback: string): Decoys {
  let formats: readonly FormatCount[] = [];
  return {
    choose(name) {
      const total = formats.reduce((sum, { count }) => sum + count, 0);
      if (total === 0) return fallback;
      // A part of all, so that a name keeps its format while the total grows. 48 bits are far finer than any proportion.
      const part = createHmac("sha256", key).update(name).digest().readUIntBE(0, 6) / 2 ** 48;
      let place = part * total;
      for (const { format, count } of formats) {
        if (place < count) return format;
        place -= count;
      }
      return fallback;
    },
    update(counts) {
      formats = counts;
    },
  };
}
