import { randomFillSync } from "node:crypto";

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
const bodyLength = 26;

/** What makes and recognises the ids of one noun. */
export interface IdKind<Id extends string> {
  /** A new id: the prefix and 130 random bits in Crockford's base 32. */
  create(): Id;
  /** The id that these bytes make, 26 of them or more, of which five bits each count. */
  from(bytes: Uint8Array): Id;
  /** Whether a text has the form of such an id. */
  is(text: string): text is Id;
}

/** An id is a type of its own: a prefix, a length and an alphabet. */
export function defineId<Prefix extends string>(prefix: Prefix): IdKind<`${Prefix}_${string}`> {
  const form = new RegExp(`^${prefix}_[${alphabet}]{${bodyLength}}$`);
  return {
    create: () => `${prefix}_${createBody()}`,
    from: (bytes) => `${prefix}_${spell(bytes, 0)}`,
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
  used += bodyLength;
  return spell(stock, used - bodyLength);
}

function spell(bytes: Uint8Array, start: number): string {
  let body = "";
  for (let at = start; at < start + bodyLength; at += 1) body += alphabet.charAt((bytes[at] ?? 0) & 31);
  return body;
}
