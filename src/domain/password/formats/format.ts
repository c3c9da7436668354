import type { HashWork } from "../../../hashing/hash-work.ts";

type WithoutInput<Work> = Work extends HashWork ? Omit<Work, "password" | "salt" | "secret"> : never;

/** What one hash has in common with others of its format and cost: all but password, salt and pepper. */
export type StoredFormat = WithoutInput<HashWork>;

/** A stored hash, taken apart. */
export interface ParsedHash {
  readonly format: StoredFormat;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** Why a hash is not taken: a sentence without its subject, which is the hash. It holds nothing of the hash. */
export interface HashProblem {
  readonly problem: string;
}

/** Hashes of one kind. None of its functions throws, whatever the text. */
export interface HashFamily {
  /** The form in which they are stored, as one regular expression of JavaScript and of PostgreSQL. */
  readonly form: RegExp;
  /** Reads the part of a stored hash before its salt; null where it is another family's. */
  parseFormat(text: string): StoredFormat | HashProblem | null;
  /** Reads a stored hash; null where it has another form. */
  parse(text: string): ParsedHash | HashProblem | null;
  /** Rewrites a hash that another system has written into the stored form; null where it is another family's. */
  normalize(text: string): string | null;
}

/** Tells a problem from what was read. */
export function isProblem(read: object): read is HashProblem {
  return "problem" in read;
}
