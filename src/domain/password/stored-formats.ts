import type { Argon2Work, BcryptWork, ScryptWork } from "../../hashing/hash-work.ts";
import { argon2Form, parseArgon2, parseArgon2Format } from "./password-hash.ts";

/** What one hash has in common with others of its format and cost: all but password, salt and pepper. */
export type StoredFormat =
  | Omit<Argon2Work, "password" | "salt" | "secret">
  | Omit<BcryptWork, "password" | "salt">
  | Omit<ScryptWork, "password" | "salt">;

/** A stored hash, taken apart. */
export interface ParsedHash {
  readonly format: StoredFormat;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

const argon2HashBytes = 32;
const scryptForm = /^(\$scrypt\$[a-z0-9=,]{1,64})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;
const scryptHashBytes = 32;
/** Cost, salt, hash. `$2x$` is left out: it marks hashes of an implementation that was wrong. */
const bcryptForm = /^(\$2[aby]\$\d\d)\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/;
/** The forms of hashes that can be read, as one regular expression of JavaScript and of PostgreSQL. */
export const storedHashForms: string = [argon2Form, scryptForm, bcryptForm]
  .map(({ source }) => source)
  .join("|");
const bcryptCostMin = 4;
const bcryptCostMax = 16;
const scryptCostLog2Max = 20;
const scryptBytesMax = 2 ** 30;
const scryptBlocksMax = 2 ** 24;

/**
 * Reads a stored hash: Argon2id and scrypt as PHC strings, bcrypt as crypt(3) writes it.
 *
 * @returns null where it is none of them, or costs more than this service is ready to spend
 */
export function parseStoredHash(text: string): ParsedHash | null {
  const argon2 = parseArgon2(text);
  if (argon2 !== null) {
    const { cost, salt, hash } = argon2;
    return { format: { kind: "argon2id", ...cost, hashBytes: hash.byteLength }, salt, hash };
  }
  return parseBcrypt(text) ?? parseScrypt(text);
}

/** Reads a format: a stored hash up to its salt. */
export function parseHashFormat(format: string): StoredFormat | null {
  const cost = parseArgon2Format(format);
  if (cost !== null) return { kind: "argon2id", ...cost, hashBytes: argon2HashBytes };
  return parseBcryptFormat(format) ?? parseScryptFormat(format, scryptHashBytes);
}

function parseBcrypt(text: string): ParsedHash | null {
  const [, prefix = "", salt = "", hash = ""] = bcryptForm.exec(text) ?? [];
  const format = parseBcryptFormat(prefix);
  return format && { format, salt: decodeBcryptBase64(salt), hash: Buffer.from(hash) };
}

function parseBcryptFormat(text: string): StoredFormat | null {
  const cost = Number(/^\$2[aby]\$(\d\d)$/.exec(text)?.[1]);
  return cost >= bcryptCostMin && cost <= bcryptCostMax ? { kind: "bcrypt", cost } : null;
}

function parseScrypt(text: string): ParsedHash | null {
  const [, prefix = "", salt = "", hash = ""] = scryptForm.exec(text) ?? [];
  const hashBuffer = Buffer.from(hash, "base64");
  const format = parseScryptFormat(prefix, hashBuffer.byteLength);
  return format && { format, salt: Buffer.from(salt, "base64"), hash: hashBuffer };
}

function parseScryptFormat(text: string, hashBytes: number): StoredFormat | null {
  const match = /^\$scrypt\$ln=([1-9]\d?),r=([1-9]\d{0,2}),p=([1-9]\d{0,2})$/.exec(text);
  if (match === null) return null;
  const [costLog2 = 0, blockSize = 0, parallelization = 0] = match.slice(1).map(Number);
  const blocks = 2 ** costLog2 * blockSize;
  const bounded =
    costLog2 <= scryptCostLog2Max &&
    128 * blocks <= scryptBytesMax &&
    blocks * parallelization <= scryptBlocksMax;
  return bounded ? { kind: "scrypt", costLog2, blockSize, parallelization, hashBytes } : null;
}

/** bcrypt's base 64 has the digits of the usual one in another order. */
function decodeBcryptBase64(text: string): Buffer {
  const theirs = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  const usual = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const digits = Array.from(text, (digit) => usual.charAt(theirs.indexOf(digit)));
  return Buffer.from(digits.join(""), "base64");
}
