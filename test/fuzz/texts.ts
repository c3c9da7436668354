import type { Random } from "./random.ts";

/** Texts that parsers have stumbled over. */
const hostile: readonly string[] = [
  "",
  " ",
  "\0",
  "a\0b",
  "\r\n",
  "\r\nX-Injected: 1",
  "%",
  "%zz",
  "%00",
  "%ff",
  "%ed%a0%80",
  "%2F..%2F",
  "..",
  "../../etc/passwd",
  "null",
  "true",
  "NaN",
  "-Infinity",
  "-0",
  "1e999",
  "9007199254740993",
  "18446744073709551616",
  "-9223372036854775809",
  "0x10",
  "007",
  "__proto__",
  "constructor",
  "toString",
  "{}",
  "[]",
  '"',
  "\\",
  "\\u0000",
  "\\ud800",
  "\u202e",
  "\ufeff",
  "é",
  "ß",
  "İ",
  "ﬁ",
  "e\u0301",
  "😀",
  "\ud83d\ude00",
  "' or 1=1 --",
  "${7*7}",
  "csr_",
  "Bearer",
  "Basic Og==",
  "2024-02-30T00:00:00Z",
  "1.0123456789s",
  "a_b,c__d",
  "AA==",
  "=",
  "&",
  "a=b&a=b",
  ";",
  ",",
  ":",
  "*",
];

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

/** A text: hostile, plain, long, or of any characters. */
export function anyText(random: Random): string {
  switch (random.below(8)) {
    case 0:
    case 1:
    case 2:
      return random.pick(hostile);
    case 3:
      return random.pick(hostile).repeat(random.below(300));
    case 4:
      return String.fromCodePoint(...random.many(12, () => random.below(0x11000)));
    case 5:
      return random
        .pick(letters.split(""))
        .repeat(random.pick([1, 63, 64, 65, 254, 255, 256, 1024, 1025, 9000]));
    default:
      return plainText(random);
  }
}

/** A short text of letters that need no escape. */
export function plainText(random: Random): string {
  return Array.from({ length: 1 + random.below(12) }, () => random.pick(letters.split(""))).join("");
}

/** Changes bytes here and there, so that what was well-formed mostly is not. */
export function mutate(random: Random, bytes: Buffer): Buffer {
  let result = bytes;
  for (let changes = 1 + random.below(4); changes > 0; changes -= 1) {
    const at = random.below(result.length + 1);
    const to = Math.min(result.length, at + random.below(16));
    switch (random.below(7)) {
      case 0:
        result = Buffer.concat([
          result.subarray(0, at),
          random.bytes(1 + random.below(8)),
          result.subarray(at),
        ]);
        break;
      case 1:
        result = Buffer.concat([result.subarray(0, at), result.subarray(to)]);
        break;
      case 2:
        result = Buffer.concat([result.subarray(0, to), result.subarray(at)]);
        break;
      case 3:
        result = result.subarray(0, at);
        break;
      case 4:
        result = Buffer.from(result);
        if (at < result.length) result[at] = random.below(256);
        break;
      case 5:
        result = Buffer.from(result);
        if (at < result.length) result[at] = (result[at] ?? 0) ^ (1 << random.below(8));
        break;
      default: {
        const text = random.pick([
          "\r\n",
          "\n",
          "\r",
          "\0",
          " ",
          ":",
          "\t",
          "0\r\n\r\n",
          "HTTP/1.1",
          "chunked",
        ]);
        result = Buffer.concat([result.subarray(0, at), Buffer.from(text), result.subarray(at)]);
      }
    }
  }
  return result;
}
