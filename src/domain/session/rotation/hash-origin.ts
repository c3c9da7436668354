import { createHmac } from "node:crypto";
import { addressPrefix } from "../../../lib/ip-address.ts";
import type { SecretKey } from "../../key/secret-keys.ts";
import type { Origin } from "../session.ts";

/**
 * Where a refresh comes from, as both stores keep it with the last rotation: the first 64 bits, in
 * hexadecimal, of an HMAC over the address's prefix and the program. It tells whether two are alike, and
 * nobody without the key learns an address from it.
 *
 * @param key the secret key of the generation that the rotation led to
 */
export function hashOrigin(key: SecretKey, { clientAddress, userAgent }: Origin): string {
  const mac = createHmac("sha256", key.derive("origin"));
  return mac
    .update(`${addressPrefix(clientAddress)}\n${userAgent}`)
    .digest("hex")
    .slice(0, 16);
}
