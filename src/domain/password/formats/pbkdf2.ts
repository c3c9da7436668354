import type { DigestName } from "../../../hashing/hash-work.ts";
import type { HashFamily, HashProblem, StoredFormat } from "./format.ts";
import { parseNumbers, parsePhc, phcForm } from "./phc.ts";
import { normalizePbkdf2 } from "./pbkdf2-spellings.ts";

/** Rounds times blocks of the digest: some seconds of one core. */
const roundsMax = 5_000_000;
const digestBytes: Readonly<Record<DigestName, number>> = { sha1: 20, sha256: 32, sha512: 64 };
const prefixForm = /^\$pbkdf2-(sha1|sha256|sha512)\$([a-z0-9=,]{1,64})$/;
const form = phcForm("\\$pbkdf2-sha(?:1|256|512)\\$[a-z0-9=,]{1,64}", 1);

/**
 * PBKDF2 (RFC 8018) with HMAC of SHA-1, SHA-256 or SHA-512, as PHC strings with the length of the hash, which is a part of
 * its cost: `$pbkdf2-sha256$i=600000,l=32$salt$hash`.
 */
export const pbkdf2: HashFamily = {
  form,
  parseFormat,
  parse(text) {
    const parsed = parsePhc(form, text, parseFormat);
    if (parsed === null || "problem" in parsed) return parsed;
    const { format, hash } = parsed;
    if (format.kind === "pbkdf2" && format.hashBytes === hash.byteLength) return parsed;
    return { problem: "is not as long as it says (l)" };
  },
  normalize: normalizePbkdf2,
};

function parseFormat(text: string): StoredFormat | HashProblem | null {
  const match = prefixForm.exec(text);
  if (match === null) return null;
  const numbers = parseNumbers(match[2] ?? "", ["i", "l"]);
  if (numbers === null) return { problem: "must have the parameters i and l" };
  const { i: iterations, l: hashBytes } = numbers;
  const digest = match[1] as DigestName;
  const rounds = iterations * Math.ceil(hashBytes / digestBytes[digest]);
  if (rounds <= roundsMax) return { kind: "pbkdf2", digest, iterations, hashBytes };
  return { problem: `costs too much: PBKDF2 may have ${roundsMax} rounds, for each block of its hash` };
}
