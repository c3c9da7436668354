import { decodeBase64 } from "../../../lib/base64.ts";
import type { DigestName } from "../../../hashing/hash-work.ts";
import type { HashFamily, StoredFormat } from "./format.ts";
import { formatPhc, parsePhc, phcForm } from "./phc.ts";

const variants: Readonly<Record<string, { readonly digest: DigestName; readonly bytes: number }>> = {
  ssha: { digest: "sha1", bytes: 20 },
  ssha256: { digest: "sha256", bytes: 32 },
  ssha512: { digest: "sha512", bytes: 64 },
};
const form = phcForm("\\$ssha(?:256|512)?", 1);
const ldapForm = /^\{(SSHA(?:-?(?:256|512))?)\}([A-Za-z0-9+/]+={0,2})$/i;

/**
 * A digest of the password and the salt after it, as LDAP servers keep them (RFC 2307): `{SSHA}`, `{SSHA256}`, `{SSHA512}`.
 * Stored as PHC strings without parameters. They are cheap to guess, until the login that replaces them.
 */
export const saltedDigest: HashFamily = {
  form,
  parseFormat,
  parse(text) {
    const parsed = parsePhc(form, text, parseFormat);
    const bytes = variants[text.split("$")[1] ?? ""]?.bytes;
    if (parsed === null || "problem" in parsed || parsed.hash.byteLength === bytes) return parsed;
    return { problem: "is not as long as its digest" };
  },
  normalize(text) {
    if (/^\$ssha(256|512)?\$/.test(text)) return text;
    const [, name = "", rest = ""] = ldapForm.exec(text) ?? [];
    const id = name.toLowerCase().replace("-", "");
    const variant = variants[id];
    const bytes = decodeBase64(rest);
    if (variant === undefined || bytes === null) return null;
    return formatPhc(`$${id}`, bytes.subarray(variant.bytes), bytes.subarray(0, variant.bytes));
  },
};

function parseFormat(text: string): StoredFormat | null {
  const variant = text.startsWith("$") ? variants[text.slice(1)] : undefined;
  return variant === undefined ? null : { kind: "salted-digest", digest: variant.digest };
}
