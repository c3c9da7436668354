import { foldName } from "../../lib/fold.ts";
import { normalizeNfc } from "../../lib/nfc.ts";
import type { FieldError } from "../../errors/app-error.ts";
import { isCommonPassword } from "./common-passwords.ts";

const bytesMax = 1024;
const newCharsMin = 8;

/**
 * The form of a password that is hashed and compared: NFC, so that how it was typed does not matter. One that is too
 * long stays as it is, for checkPassword to refuse: at no length does this take more than a fraction of a millisecond.
 */
export function normalizePassword(password: string): string {
  return normalizeNfc(password, bytesMax) ?? password;
}

/**
 * Finds what is wrong with any password, before time is spent on hashing it.
 *
 * @param password in NFC
 * @param field the name of the field that it came in
 */
export function checkPassword(password: string, field: string): FieldError[] {
  if (password === "") return [{ field, code: "required", detail: "is required" }];
  if (Buffer.byteLength(password) > bytesMax) {
    return [{ field, code: "too_long", detail: `must be at most ${bytesMax} bytes long` }];
  }
  return [];
}

/**
 * Finds what is wrong with a password that a user is to have from now on (NIST SP 800-63B section
 * 3.1.1.2: length, and nothing that guessers try first; no rules about kinds of characters).
 */
export async function checkNewPassword(
  password: string,
  options: { readonly field: string; readonly username: string },
): Promise<FieldError[]> {
  const { field } = options;
  const general = checkPassword(password, field);
  if (general.length > 0) return general;
  if (Array.from(password).length < newCharsMin) {
    return [{ field, code: "too_short", detail: `must be at least ${newCharsMin} characters long` }];
  }
  const folded = foldName(password);
  if (folded === foldName(options.username)) {
    return [{ field, code: "same_as_username", detail: "must not be the username" }];
  }
  if (await isCommonPassword(folded)) {
    return [{ field, code: "too_common", detail: "is too common" }];
  }
  return [];
}
