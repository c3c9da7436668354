import type { Argon2Cost, Argon2Variant } from "../../../hashing/hash-work.ts";
import type { HashFamily, HashProblem, StoredFormat } from "./format.ts";
import { formatPhc, parseNumbers, parsePhc, phcForm } from "./phc.ts";

const memoryKibMax = 1_048_576;
const iterationsMax = 64;
const parallelismMax = 16;
/** Memory times passes: some seconds of one core. */
const workKibMax = 8_388_608;
const newHashBytes = 32;
const prefixForm = /^\$(argon2(?:id|i|d))\$v=19\$([a-z0-9=,]{1,64})$/;
const form = phcForm("\\$argon2(?:id|i|d)\\$v=19\\$[a-z0-9=,]{1,64}", 8);

/** Argon2id, Argon2i and Argon2d (RFC 9106) of version 0x13, as PHC strings. */
export const argon2: HashFamily = {
  form,
  parseFormat: (text) => parseFormat(text, newHashBytes),
  parse: (text) => parsePhc(form, text, parseFormat),
  normalize: (text) => (/^\$argon2(id|i|d)\$/.test(text) ? text : null),
};

/** A format, with the parameters in the order of the reference implementation, on which its decoder insists. */
export function argon2Format({ memoryKib, iterations, parallelism }: Argon2Cost): string {
  return `$argon2id$v=19$m=${memoryKib},t=${iterations},p=${parallelism}`;
}

/** The PHC string of a new hash. */
export function formatArgon2(cost: Argon2Cost, salt: Buffer, hash: Buffer): string {
  return formatPhc(argon2Format(cost), salt, hash);
}

function parseFormat(text: string, hashBytes: number): StoredFormat | HashProblem | null {
  const match = prefixForm.exec(text);
  if (match === null) return null;
  const numbers = parseNumbers(match[2] ?? "", ["m", "t", "p"]);
  if (numbers === null) return { problem: "must have the parameters m, t and p" };
  const { m: memoryKib, t: iterations, p: parallelism } = numbers;
  if (memoryKib < 8 * parallelism) return { problem: "has less memory than its lanes need (m must be 8 p)" };
  const isBounded =
    memoryKib <= memoryKibMax &&
    iterations <= iterationsMax &&
    memoryKib * iterations <= workKibMax &&
    parallelism <= parallelismMax;
  if (isBounded) {
    return { kind: match[1] as Argon2Variant, memoryKib, iterations, parallelism, hashBytes };
  }
  return { problem: "costs too much: Argon2 may have 1 GiB, 64 passes, 8 GiB of them in all, and 16 lanes" };
}
