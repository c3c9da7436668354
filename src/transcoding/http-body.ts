import type { DescMessage, Message } from "@bufbuild/protobuf";
import type { HttpBody } from "../gen/google/api/httpbody_pb.ts";
import { trimOws } from "../lib/http-text.ts";
import { parseMediaType } from "./media-type.ts";
import { RestError } from "./rest-error.ts";

/** The media type of bytes of which nothing is said (RFC 9110 section 8.3). */
export const unknownType = "application/octet-stream";

/** Whether a message is google.api.HttpBody, whose bytes are an HTTP body themselves. */
export function isHttpBody(desc: DescMessage | undefined): boolean {
  return desc?.typeName === "google.api.HttpBody";
}

/**
 * Puts a request's body into a message that `isHttpBody`.
 *
 * @param contentType the header's value; undefined where it was not sent
 * @throws RestError 415 when the content type is malformed
 */
export function fillHttpBody(message: Message, contentType: string | undefined, data: Uint8Array): void {
  if (contentType !== undefined && parseMediaType(contentType) === null) {
    throw new RestError(415, "The content type is malformed.");
  }
  Object.assign(message as HttpBody, { contentType: trimOws(contentType ?? ""), data });
}

/** The media type and bytes of a message that `isHttpBody`. */
export function readHttpBody(message: Message): { readonly contentType: string; readonly body: Uint8Array } {
  const { contentType, data } = message as HttpBody;
  return { contentType: contentType === "" ? unknownType : contentType, body: data };
}
