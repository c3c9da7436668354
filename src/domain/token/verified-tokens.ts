import type { AccessTokenClaims } from "./access-token-claims.ts";

/** What was found in a token when its signature was verified. */
export interface VerifiedToken {
  /** The key that signed it. */
  readonly kid: string;
  readonly claims: AccessTokenClaims;
  /** When it begins to count, in seconds since the epoch. */
  readonly notBefore: number;
}

/** Tokens whose signature was verified, by their text. Whether they count now is for the caller to ask. */
export interface VerifiedTokens {
  find(token: string): VerifiedToken | null;
  add(token: string, verified: VerifiedToken): void;
}

const countMax = 10_000;
const bytesMax = 16 * 1024 * 1024;
/** What an entry takes beside the token and its claims, which are as long as the token at most. */
const entryBytes = 512;

/**
 * Remembers at most 10,000 tokens or 16 MiB. There are two generations, each of half the size: what is asked for
 * moves to the younger one, and when that is full the older one is forgotten. So nothing is ever searched through.
 */
export function createVerifiedTokens(): VerifiedTokens {
  let young = new Map<string, VerifiedToken>();
  let old = new Map<string, VerifiedToken>();
  let youngBytes = 0;

  const add = (token: string, verified: VerifiedToken): void => {
    const bytes = 2 * token.length + entryBytes;
    if (young.size >= countMax / 2 || youngBytes + bytes > bytesMax / 2) {
      old = young;
      young = new Map();
      youngBytes = 0;
    }
    young.set(token, verified);
    youngBytes += bytes;
  };

  return {
    find(token) {
      const found = young.get(token);
      if (found !== undefined) return found;
      const aged = old.get(token);
      if (aged === undefined) return null;
      old.delete(token);
      add(ownText(token), aged);
      return aged;
    },
    add: (token, verified) => {
      if (!young.has(token)) add(ownText(token), verified);
    },
  };
}

/** The same text in memory of its own: a part of a request's text would keep all of that. A token is ASCII. */
function ownText(token: string): string {
  return Buffer.from(token, "latin1").toString("latin1");
}
