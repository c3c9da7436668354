import { randomBytes } from "node:crypto";

const digitsAtOnce = 8_192;
let digits = "";
let used = 0;

/** Random hexadecimal digits in lower case, cheaply: for names, not for secrets. @param count at most 8,192 */
export function randomHex(count: number): string {
  if (used + count > digits.length) {
    digits = randomBytes(digitsAtOnce / 2).toString("hex");
    used = 0;
  }
  used += count;
  return digits.slice(used - count, used);
}
