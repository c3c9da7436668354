import { isUtf8 } from "node:buffer";
import { isRecord } from "./algorithms.ts";
import { VerifyError } from "./verify-error.ts";

/** A JWS in its compact serialisation (RFC 7515 section 3.1), read and not yet verified. */
export interface CompactJws {
  readonly header: Readonly<Record<string, unknown>>;
  /** What the signature is over: header and payload as they were sent (section 5.2). */
  readonly input: string;
  readonly payload: Buffer;
  readonly signature: Buffer;
}

/** Longer texts are no access tokens of Countersign's, and are refused before anything is decoded. */
const tokenBytesMax = 16 * 1024;

/**
 * Reads a compact JWS to the letter: three parts, each the one base64url spelling of some bytes, so that a token has
 * no two spellings.
 *
 * @throws VerifyError `malformed`
 */
export function readCompactJws(token: string): CompactJws {
  if (token.length > tokenBytesMax) throw new VerifyError("malformed");
  const [first, second, third, ...more] = token.split(".", 4);
  if (!first || !second || !third || more.length > 0) throw new VerifyError("malformed");
  return {
    header: readJsonObject(decodeBase64Url(first)),
    input: token.slice(0, first.length + 1 + second.length),
    payload: decodeBase64Url(second),
    signature: decodeBase64Url(third),
  };
}

/** The JSON object that some bytes spell in UTF-8. @throws VerifyError `malformed` */
export function readJsonObject(bytes: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = isUtf8(bytes) ? JSON.parse(bytes.toString()) : null;
    if (isRecord(value)) return value;
  } catch {
    // Answered below, as every other text that is no object.
  }
  throw new VerifyError("malformed");
}

/** RFC 7515 section 2, strictly: Node's own decoder passes over white space, padding and spare bits. */
function decodeBase64Url(text: string): Buffer {
  const bytes = Buffer.from(text, "base64url");
  if (bytes.toString("base64url") !== text) throw new VerifyError("malformed");
  return bytes;
}
