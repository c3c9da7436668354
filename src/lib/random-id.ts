import { randomFillSync } from "node:crypto";

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
const bodyLength = 26;

/** What makes and recognises the ids of one noun. */
export interface IdKind<Id extends string> {
  /** A new id: the prefix and 130 random bits in Crockford's base 32. */
  create(): Id;
  /** Whether a text has the form of such an id. */
  is(text: string): text is Id;
}

/** An id is a type of its own: a prefix, a length and an alphabet. */
export function defineId<Prefix extends string>(prefix: Prefix): IdKind<`${Prefix}_${string}`> {
  const form = new RegExp(`^${prefix}_[${alphabet}]{${bodyLength}}$`);
  return {
    create: () => `${prefix}_${createBody()}`,
    is: (text): text is `${Prefix}_${string}` => form.test(text),
  };
}

// Random bytes for many ids at once: asking for them costs more than making them.
const stock = new Uint8Array(bodyLength * 64);
let used = stock.length;

function createBody(): string {
  if (used === stock.length) {
    randomFillSync(stock);
    used = 0;
  }
  let body = "";
  for (const end = used + bodyLength; used < end; used += 1) body += alphabet.charAt((stock[used] ?? 0) & 31);
  return body;
}
