import { lowerAscii, trimOws } from "../lib/http-text.ts";
import { type MediaType, parseMediaType } from "./media-type.ts";
import { RestError } from "./rest-error.ts";

/** How a body is written. */
export type BodyFormat = "json" | "form";

const formats: ReadonlyMap<string, BodyFormat> = new Map([
  ["application/json", "json"],
  ["application/x-www-form-urlencoded", "form"],
]);

/** Its name, and the other one that is in use. */
const utf8Names: ReadonlySet<string> = new Set(["utf-8", "utf8"]);

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
  if (!isUtf8(mediaType)) {
    throw new RestError(415, "The charset must be utf-8.");
  }
  return format;
}

/** Whether a media type's charset, where it names one, is UTF-8. No other parameter means anything here. */
export function isUtf8({ parameters }: MediaType): boolean {
  return parameters.every(([name, value]) => name !== "charset" || utf8Names.has(lowerAscii(value)));
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
  const coding = lowerAscii(trimOws(contentEncoding));
  if (coding !== "" && coding !== "identity") {
    throw new RestError(415, "The content encoding must be identity.", { acceptedCodings: ["identity"] });
  }
}
