import type { HashFamily, HashProblem, StoredFormat } from "./format.ts";

const costMin = 4;
const costMax = 16;
/** Cost, salt, hash. `$2x$` is left out: it marks hashes of an implementation that was wrong. */
const form = /^(\$2[aby]\$\d\d)\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/;

/** bcrypt as crypt(3) writes it: `$2a$`, `$2b$` and `$2y$`, which mean the same here. */
export const bcrypt: HashFamily = {
  form,
  parseFormat,
  parse(text) {
    const [, prefix = "", salt = "", hash = ""] = form.exec(text) ?? [];
    const format = parseFormat(prefix);
    if (format === null || "problem" in format) return format;
    return { format, salt: decodeBase64(salt), hash: Buffer.from(hash) };
  },
  // As Spring, OpenLDAP and Django mark them.
  normalize: (text) => /^(?:\{bcrypt\}|\{crypt\}|bcrypt\$)?(\$2[abxy]?\$.*)$/is.exec(text)?.[1] ?? null,
};

function parseFormat(text: string): StoredFormat | HashProblem | null {
  const digits = /^\$2[aby]\$(\d\d)$/.exec(text)?.[1];
  if (digits === undefined) return null;
  const cost = Number(digits);
  if (cost >= costMin && cost <= costMax) return { kind: "bcrypt", cost };
  return { problem: `must have a cost of ${costMin} to ${costMax}` };
}

/** bcrypt's base 64 has the digits of the usual one in another order. */
function decodeBase64(text: string): Buffer {
  const theirs = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  const usual = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const digits = Array.from(text, (digit) => usual.charAt(theirs.indexOf(digit)));
  return Buffer.from(digits.join(""), "base64");
}
