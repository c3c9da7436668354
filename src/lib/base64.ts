/**
 * Decodes base64url without padding (RFC 7515 section 2), strictly: Node's decoder ignores white space, padding,
 * spare bits and any invalid character.
 *
 * @returns null for every text that is not the one spelling of some bytes
 */
export function decodeBase64Url(text: string): Buffer | null {
  return decodeCanonical(text, "base64url");
}

/** Decodes base64 with padding (RFC 4648 section 4), to the letter. @returns null for any other text */
export function decodeBase64(text: string): Buffer | null {
  return decodeCanonical(text, "base64");
}

function decodeCanonical(text: string, encoding: "base64" | "base64url"): Buffer | null {
  const bytes = Buffer.from(text, encoding);
  return bytes.toString(encoding) === text ? bytes : null;
}
