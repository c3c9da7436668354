import { type HashProblem, isProblem, type ParsedHash, type StoredFormat } from "./format.ts";

const base64 = "[A-Za-z0-9+/]";

/**
 * The form of PHC strings (https://github.com/P-H-C/phc-string-format) with a salt and a hash: of their parameters only
 * the signs are told. The hash has 16 to 64 bytes.
 *
 * @param prefix a regular expression of what stands before the salt
 * @param saltBytesMin the salt has at most 64 bytes
 */
export function phcForm(prefix: string, saltBytesMin: number): RegExp {
  const saltCharsMin = Math.ceil((saltBytesMin * 8) / 6);
  return new RegExp(`^(${prefix})\\$(${base64}{${saltCharsMin},86})\\$(${base64}{22,86})$`);
}

/**
 * Takes a stored hash apart. @param parseFormat reads what stands before the salt, and is told the length of the hash
 */
export function parsePhc(
  form: RegExp,
  text: string,
  parseFormat: (prefix: string, hashBytes: number) => StoredFormat | HashProblem | null,
): ParsedHash | HashProblem | null {
  const [, prefix = "", saltText = "", hashText = ""] = form.exec(text) ?? [];
  if (prefix === "") return null;
  const [salt, hash] = [Buffer.from(saltText, "base64"), Buffer.from(hashText, "base64")];
  const format = parseFormat(prefix, hash.byteLength);
  return format === null || isProblem(format) ? format : { format, salt, hash };
}

/** Writes what `parsePhc` reads. */
export function formatPhc(prefix: string, salt: Uint8Array, hash: Uint8Array): string {
  return `${prefix}$${encode(salt)}$${encode(hash)}`;
}

/**
 * Reads parameters such as `m=64,t=2`: each name once, in any order, each value a whole number above 0 of at most eight
 * digits. @returns null where one is missing, or is none of the names
 */
export function parseNumbers<const Name extends string>(
  text: string,
  names: readonly Name[],
): Readonly<Record<Name, number>> | null {
  const values: Partial<Record<string, number>> = {};
  for (const part of text.split(",")) {
    const [, name = "", digits] = /^([a-z]{1,2})=([1-9]\d{0,7})$/.exec(part) ?? [];
    if (digits === undefined || values[name] !== undefined) return null;
    values[name] = Number(digits);
  }
  const isComplete = Object.keys(values).length === names.length && names.every((name) => name in values);
  return isComplete ? (values as Record<Name, number>) : null;
}

/** Base 64 without padding. */
function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replace(/=+$/, "");
}
