const encodedSlash = /(%2[Ff])/;

/**
 * Percent-decodes a text to UTF-8 (RFC 3986 section 2.1).
 *
 * @returns null when an encoding is broken, or the octets are not UTF-8
 */
export function decodePercent(text: string): string | null {
  if (!text.includes("%")) {
    return text;
  }
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/**
 * Percent-decodes a text, but leaves `%2F` and `%2f` as they are, so that the slashes that separated
 * segments can still be distinguished from those inside one (google/api/http.proto on variables of
 * more than one segment).
 *
 * @returns null when an encoding is broken, or the octets are not UTF-8
 */
export function decodePercentKeepingSlashes(text: string): string | null {
  if (!text.includes("%")) {
    return text;
  }
  const parts = text.split(encodedSlash);
  let decoded = "";
  for (const [index, part] of parts.entries()) {
    // With one capturing group, split() puts the separators at the odd places.
    const piece = index % 2 === 1 ? part : decodePercent(part);
    if (piece === null) {
      return null;
    }
    decoded += piece;
  }
  return decoded;
}
