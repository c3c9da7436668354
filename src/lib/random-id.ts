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
    create() {
      let body = "";
      for (const byte of randomFillSync(new Uint8Array(bodyLength))) body += alphabet.charAt(byte & 31);
      return `${prefix}_${body}`;
    },
    is: (text): text is `${Prefix}_${string}` => form.test(text),
  };
}
