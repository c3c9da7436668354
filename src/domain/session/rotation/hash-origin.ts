import { addressPrefix } from "../../../lib/ip-address.ts";
import type { SecretKey } from "../../key/secret-keys.ts";
import type { Origin } from "../session.ts";

const originBytes = 8;

/**
 * Where a refresh comes from, as both stores keep it with the last rotation: the first 64 bits, in
 * hexadecimal, of an HMAC over the address's prefix and the program. It tells whether two are alike, and
 * nobody without the key learns an address from it.
 *
 * @param key the secret key of the generation that the rotation led to
 */
export function hashOrigin(key: SecretKey, { clientAddress, userAgent }: Origin): string {
  return key
    .mac("origin")(`${addressPrefix(clientAddress)}\n${userAgent}`)
    .toString("hex", 0, originBytes);
}
