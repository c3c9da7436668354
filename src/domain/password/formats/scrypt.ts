import type { HashFamily, HashProblem, StoredFormat } from "./format.ts";
import { parseNumbers, parsePhc, phcForm } from "./phc.ts";

const costLog2Max = 20;
const bytesMax = 2 ** 30;
const blocksMax = 2 ** 24;
const usualHashBytes = 32;
const prefixForm = /^\$scrypt\$([a-z0-9=,]{1,64})$/;
const form = phcForm("\\$scrypt\\$[a-z0-9=,]{1,64}", 1);

/** scrypt (RFC 7914) as PHC strings. */
export const scrypt: HashFamily = {
  form,
  parseFormat: (text) => parseFormat(text, usualHashBytes),
  parse: (text) => parsePhc(form, text, parseFormat),
  normalize: (text) => (text.startsWith("$scrypt$") ? text : null),
};

/** Finds what scrypt costs too much; null where it is within the bounds. */
export function scryptCostProblem(costLog2: number, blockSize: number, lanes: number): HashProblem | null {
  const blocks = 2 ** costLog2 * blockSize;
  const isBounded =
    costLog2 <= costLog2Max && 128 * blocks <= bytesMax && lanes <= blocksMax && blocks * lanes <= blocksMax;
  if (isBounded) return null;
  return { problem: "costs too much: scrypt may have N of 2^20, 1 GiB, and 2^24 blocks (N r p)" };
}

function parseFormat(text: string, hashBytes: number): StoredFormat | HashProblem | null {
  const match = prefixForm.exec(text);
  if (match === null) return null;
  const numbers = parseNumbers(match[1] ?? "", ["ln", "r", "p"]);
  if (numbers === null) return { problem: "must have the parameters ln, r and p" };
  const { ln: costLog2, r: blockSize, p: parallelization } = numbers;
  const problem = scryptCostProblem(costLog2, blockSize, parallelization);
  return problem ?? { kind: "scrypt", costLog2, blockSize, parallelization, hashBytes };
}
