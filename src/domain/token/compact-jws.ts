import { isUtf8 } from "node:buffer";
import { decodeBase64Url } from "../../lib/base64.ts";

/** A JWS in its compact serialisation (RFC 7515 section 3.1), read and not yet verified. */
export interface CompactJws {
  readonly header: JsonObject;
  /** What the signature is over: header and payload as they were sent (section 5.2). */
  readonly input: string;
  readonly payload: Buffer;
  readonly signature: Buffer;
}

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Reads a compact JWS to the letter: three parts, each the one base64url spelling of some bytes, so that a token has
 * no two spellings; the header a JSON object.
 *
 * @returns null for every other text
 */
export function readCompactJws(token: string): CompactJws | null {
  const [first, second, third, ...more] = token.split(".", 4);
  if (!first || !second || !third || more.length > 0) return null;
  const headerBytes = decodeBase64Url(first);
  const payload = decodeBase64Url(second);
  const signature = decodeBase64Url(third);
  if (headerBytes === null || payload === null || signature === null) return null;
  const header = parseJsonObject(headerBytes);
  if (header === null) return null;
  return { header, input: token.slice(0, first.length + 1 + second.length), payload, signature };
}

/** The JSON object that some bytes spell in UTF-8; null where they spell none. */
export function parseJsonObject(bytes: Buffer): JsonObject | null {
  if (!isUtf8(bytes)) return null;
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
