import { argon2 } from "./formats/argon2.ts";
import { bcrypt } from "./formats/bcrypt.ts";
import { firebaseScrypt } from "./formats/firebase-scrypt.ts";
import {
  type HashFamily,
  type HashProblem,
  isProblem,
  type ParsedHash,
  type StoredFormat,
} from "./formats/format.ts";
import { pbkdf2 } from "./formats/pbkdf2.ts";
import { saltedDigest } from "./formats/salted-digest.ts";
import { scrypt } from "./formats/scrypt.ts";
import type { PasswordHash } from "./password-hash.ts";

/** All that can be read. The first is what new hashes have. */
const families: readonly HashFamily[] = [argon2, bcrypt, scrypt, firebaseScrypt, pbkdf2, saltedDigest];
const charsMax = 1_024;

/** The forms of hashes that can be read, as one regular expression of JavaScript and of PostgreSQL. */
export const storedHashForms: string = families.map(({ form }) => form.source).join("|");

/**
 * Reads a stored hash.
 *
 * @returns null where it has none of the forms, or costs more than this service is ready to spend
 */
export function parseStoredHash(text: string): ParsedHash | null {
  const parsed = readFirst((family) => family.parse(text));
  return parsed === null || isProblem(parsed) ? null : parsed;
}

/** Reads a format: a stored hash up to its salt. */
export function parseHashFormat(format: string): StoredFormat | null {
  const parsed = readFirst((family) => family.parseFormat(format));
  return parsed === null || isProblem(parsed) ? null : parsed;
}

/**
 * Takes over a hash that another system has made, in any of the spellings that docs/moving/hashes.md lists.
 *
 * @returns the hash in the form in which it is stored, or why it is refused
 */
export function importHash(text: string): PasswordHash | HashProblem {
  const phc = text.length > charsMax ? null : readFirst((family) => family.normalize(text));
  const parsed = phc === null ? null : readFirst((family) => family.parse(phc));
  if (phc === null) return { problem: "has a form that is not known" };
  if (parsed === null) return { problem: "is damaged, or of a version that is not known" };
  return isProblem(parsed) ? parsed : { phc, pepperId: null };
}

function readFirst<Read>(read: (family: HashFamily) => Read | null): Read | null {
  for (const family of families) {
    const found = read(family);
    if (found !== null) return found;
  }
  return null;
}
