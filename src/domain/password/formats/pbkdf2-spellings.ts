import { decodeBase64 } from "../../../lib/base64.ts";
import type { DigestName } from "../../../hashing/hash-work.ts";
import { formatPhc } from "./phc.ts";

/** PHC strings, and passlib's form of them: no names for the parameters, and base 64 with a dot in place of the plus. */
const phcForm =
  /^\$pbkdf2(-sha1|-sha256|-sha512)?\$(?:i=)?([1-9]\d{0,7})(?:,l=\d{1,2})?\$([A-Za-z0-9+./]+)\$([A-Za-z0-9+./]+)$/;
/** Django: the salt as it is, not in base 64. */
const djangoForm = /^pbkdf2_(sha1|sha256)\$([1-9]\d{0,7})\$([!-#%-~]{1,64})\$([A-Za-z0-9+/]+={0,2})$/;
const saltBytesV2 = 16;
const lengthV2 = 49;
const headerV3 = 13;
/** The digests of ASP.NET Core Identity, by their numbers. */
const digestsV3: readonly DigestName[] = ["sha1", "sha256", "sha512"];

/** Rewrites PBKDF2 as PHC strings, passlib, Django and ASP.NET Core Identity (versions 2 and 3) write it. */
export function normalizePbkdf2(text: string): string | null {
  return fromPhc(text) ?? fromDjango(text) ?? fromAspNet(text);
}

/** The stored form. @param hash its length goes into the parameters */
function formatPbkdf2(digest: DigestName, iterations: number, salt: Buffer, hash: Buffer): string {
  return formatPhc(`$pbkdf2-${digest}$i=${iterations},l=${hash.byteLength}`, salt, hash);
}

function fromPhc(text: string): string | null {
  const [, variant = "-sha1", iterations, salt = "", hash = ""] = phcForm.exec(text) ?? [];
  if (iterations === undefined) return null;
  const [saltBytes, hashBytes] = [salt, hash].map((part) => Buffer.from(part.replaceAll(".", "+"), "base64"));
  if (saltBytes === undefined || hashBytes === undefined) return null;
  return formatPbkdf2(variant.slice(1) as DigestName, Number(iterations), saltBytes, hashBytes);
}

function fromDjango(text: string): string | null {
  const [, digest, iterations = "", salt = "", hash = ""] = djangoForm.exec(text) ?? [];
  if (digest === undefined) return null;
  const hashBytes = Buffer.from(hash, "base64");
  return formatPbkdf2(digest as DigestName, Number(iterations), Buffer.from(salt), hashBytes);
}

/** Bytes in base 64, of which the first is the version: 0 for 2, 1 for 3. */
function fromAspNet(text: string): string | null {
  const bytes = /^A[A-Q][A-Za-z0-9+/=]{40,260}$/.test(text) ? decodeBase64(text) : null;
  if (bytes === null) return null;
  if (bytes[0] === 0 && bytes.byteLength === lengthV2) {
    const hash = bytes.subarray(1 + saltBytesV2);
    return formatPbkdf2("sha1", 1_000, bytes.subarray(1, 1 + saltBytesV2), hash);
  }
  if (bytes[0] !== 1) return null;
  const digest = digestsV3[bytes.readUInt32BE(1)];
  const hashAt = headerV3 + bytes.readUInt32BE(9);
  if (digest === undefined || hashAt >= bytes.byteLength) return null;
  return formatPbkdf2(
    digest,
    bytes.readUInt32BE(5),
    bytes.subarray(headerV3, hashAt),
    bytes.subarray(hashAt),
  );
}
