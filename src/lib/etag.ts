import { hashJson } from "./hash-json.ts";

const etagBytes = 16;

/**
 * A short text that tells one state of a thing from another: 22 characters of base64url, of a hash of what is given.
 * Nothing can be read out of it.
 *
 * @param state what JSON can hold; its members in one order
 */
export function etagOf(state: unknown): string {
  return hashJson(state).subarray(0, etagBytes).toString("base64url");
}
