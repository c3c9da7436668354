import { domainToUnicode } from "node:url";

/** Longer than any name or password. */
const charsMax = 1024;
/** What domainToUnicode reads as nothing but a host name. */
const hostForm = /^[\p{L}\p{M}\p{N}._-]+$/u;

/**
 * The one form in which names compare, when they are made and when they are typed: NFKC with case folded, without
 * the white space around it, and the domain of an address in Unicode whether it was written so or in the ASCII form
 * of IDNA (RFC 5890). Folding twice is folding once.
 *
 * A text of more than 1,024 UTF-16 units is left as it is, since nobody has so long a name: NFKC takes quadratic time.
 */
export function foldName(name: string): string {
  if (name.length > charsMax) return name;
  const folded = foldText(name).trim();
  const at = folded.lastIndexOf("@") + 1;
  return at === 0 ? folded : folded.slice(0, at) + foldDomain(folded.slice(at));
}

/**
 * Upper-casing makes the letters that have no single lower-case partner meet (sharp s and "ss", the two small sigmas).
 * Lower-casing before it serves the capital sharp s, whose upper case is itself.
 */
function foldText(text: string): string {
  return text.normalize("NFKC").toLowerCase().toUpperCase().toLowerCase().normalize("NFKC");
}

function foldDomain(domain: string): string {
  if (!domain.includes("xn--") || !hostForm.test(domain)) return domain;
  // Empty where a label is no IDNA.
  const unicode = domainToUnicode(domain);
  return unicode === "" ? domain : foldText(unicode);
}
