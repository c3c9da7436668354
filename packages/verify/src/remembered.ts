/** Values by the text of their token. */
export interface Remembered<V> {
  find(token: string): V | undefined;
  add(token: string, value: V): void;
}

const countMax = 10_000;
const bytesMax = 16 * 1024 * 1024;
/** What an entry takes beside the token and its claims, which are about as long as the token. */
const entryBytes = 512;

/**
 * Remembers at most 10,000 tokens or 16 MiB, in two generations of half that size: what is asked for moves to the
 * younger one, and when that is full the older one is forgotten. So nothing is ever searched through.
 */
export function createRemembered<V>(): Remembered<V> {
  let young = new Map<string, V>();
  let old = new Map<string, V>();
  let youngBytes = 0;

  const add = (token: string, value: V): void => {
    const bytes = 3 * token.length + entryBytes;
    if (young.size >= countMax / 2 || youngBytes + bytes > bytesMax / 2) {
      old = young;
      young = new Map();
      youngBytes = 0;
    }
    // A copy: a part of a header field's text would keep all of that in memory. A token that was verified is ASCII.
    young.set(Buffer.from(token, "latin1").toString("latin1"), value);
    youngBytes += bytes;
  };

  return {
    find(token) {
      const found = young.get(token);
      if (found !== undefined) return found;
      const aged = old.get(token);
      if (aged === undefined) return undefined;
      old.delete(token);
      add(token, aged);
      return aged;
    },
    add,
  };
}
