import { parseMediaType } from "./media-type.ts";
import { RestError } from "./rest-error.ts";

/** How a body is written. */
export type BodyFormat = "json" | "form";

const formats: ReadonlyMap<string, BodyFormat> = new Map([
  ["application/json", "json"],
  ["application/x-www-form-urlencoded", "form"],
]);

/**
 * The format that a Content-Type header names: `application/json` or
 * `application/x-www-form-urlencoded`, in UTF-8 or without a charset.
 *
 * @throws RestError 415 for anything else, a header that cannot be read included
 */
export function readContentType(contentType: string): BodyFormat {
  const plain = formats.get(contentType);
  if (plain !== undefined) {
    return plain;
  }
  const mediaType = parseMediaType(contentType);
  const format = mediaType === null ? undefined : formats.get(`${mediaType.type}/${mediaType.subtype}`);
  if (mediaType === null || format === undefined) {
    throw new RestError(
      415,
      "The content type must be application/json or application/x-www-form-urlencoded.",
    );
  }
  for (const [name, value] of mediaType.parameters) {
    if (name === "charset" && value.toLowerCase() !== "utf-8") {
      throw new RestError(415, "The charset must be utf-8.");
    }
  }
  return format;
}

/**
 * Refuses content codings: only `identity` is taken (RFC 9110 section 8.4).
 *
 * @throws RestError 415
 */
export function requireIdentityEncoding(contentEncoding: string | undefined): void {
  if (contentEncoding === undefined) {
    return;
  }
  const coding = contentEncoding.trim().toLowerCase();
  if (coding !== "" && coding !== "identity") {
    throw new RestError(415, "The content encoding must be identity.");
  }
}
