import { gunzipSync } from "node:zlib";
import { AppError } from "../../../errors/app-error.ts";

/** The encodings that request messages may have. Answers are never compressed: they hold secrets (BREACH). */
export const acceptedEncodings: readonly string[] = ["identity", "gzip"];

/** An encoding that `decompress` takes. @throws AppError unsupported_media_type, with those that are */
export function requireEncoding(encoding: string | undefined): string | undefined {
  if (encoding === undefined || encoding === "" || acceptedEncodings.includes(encoding)) return encoding;
  throw new AppError("unsupported_media_type", "The message may be compressed with gzip, or not at all.", {
    acceptedCodings: acceptedEncodings,
  });
}

/**
 * Undoes a message's compression.
 *
 * Synchronous on purpose: a message is small, and libuv's pool is where password hashes run.
 *
 * @param bytesMax the most that may come out
 * @throws AppError malformed_request, payload_too_large
 */
export function decompress(bytes: Uint8Array, encoding: string | undefined, bytesMax: number): Uint8Array {
  if (encoding !== "gzip") return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: bytesMax });
  } catch (error) {
    if (error instanceof RangeError) {
      throw new AppError("payload_too_large", `The message is larger than ${bytesMax} bytes.`, {
        cause: error,
      });
    }
    throw new AppError("malformed_request", "The message cannot be decompressed.", { cause: error });
  }
}
