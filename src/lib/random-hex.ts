import { randomFillSync } from "node:crypto";

const kept = Buffer.alloc(4_096);
let used = kept.byteLength;

/** Random bytes as hexadecimal digits in lower case, cheaply: for names, not for secrets. @param bytes at most 64 */
export function randomHex(bytes: number): string {
  if (used + bytes > kept.byteLength) {
    randomFillSync(kept);
    used = 0;
  }
  used += bytes;
  return kept.toString("hex", used - bytes, used);
}
