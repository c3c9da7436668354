/**
 * The pieces of HTTP's grammar that protocol text is read by (RFC 9110 section 5.6). White space is SP and HTAB,
 * letters are those of ASCII. String.trim also removes U+00A0 and the like, so that another name could pass for the right one.
 */

/** A token (RFC 9110 section 5.6.2). */
const tokenForm = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const upperCase = /[A-Z]/;
const token68Form = /^[A-Za-z0-9._~+/-]+=*$/;

/** Takes optional white space (OWS, RFC 9110 section 5.6.3) off both ends. */
export function trimOws(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isOws(text.charCodeAt(start))) start += 1;
  while (end > start && isOws(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

/** The lines of a header field as one (RFC 9110 section 5.3); undefined where there is none. */
export function joinLines(lines: string | readonly string[] | undefined): string | undefined {
  return lines === undefined || typeof lines === "string" ? lines : lines.join(", ");
}

/** A text with its ASCII letters in lower case, and every other character as it is. */
export function lowerAscii(text: string): string {
  return upperCase.test(text) ? text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : text;
}

/** What an Authorization header holds, as far as it goes by token68. */
export interface Credentials {
  /** In lower case. */
  readonly scheme: string;
  /** Empty if nothing follows the scheme; null if that is no token68. */
  readonly token68: string | null;
}

/**
 * Reads an Authorization header (RFC 9110 section 11.4): a scheme, and after one or more spaces a token68.
 *
 * @returns null if there is no header, or it does not begin with a scheme
 */
export function parseCredentials(authorization: string | null | undefined): Credentials | null {
  const text = trimOws(authorization ?? "");
  const space = text.indexOf(" ");
  const scheme = space === -1 ? text : text.slice(0, space);
  if (!tokenForm.test(scheme)) return null;
  let start = scheme.length;
  while (text[start] === " ") start += 1;
  const rest = text.slice(start);
  return { scheme: lowerAscii(scheme), token68: rest === "" || token68Form.test(rest) ? rest : null };
}

function isOws(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
