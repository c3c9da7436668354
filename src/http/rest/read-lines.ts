import { AppError } from "../../errors/app-error.ts";
import { parseMediaType } from "../../transcoding/media-type.ts";
import { streamTypes } from "../../transcoding/accept.ts";
import { RestError } from "../../transcoding/rest-error.ts";

const newline = 0x0a;
const blank = new Set([0x09, 0x0d, 0x20]);

/** @throws AppError unsupported_media_type unless a body is newline-delimited JSON, uncompressed */
export function requireLines(contentType: string | undefined, encoding: string | undefined): void {
  const type = contentType === undefined ? null : parseMediaType(contentType);
  if (type === null || `${type.type}/${type.subtype}` !== streamTypes.ndjson) {
    throw new AppError("unsupported_media_type", `The body must be ${streamTypes.ndjson}.`);
  }
  if (encoding === undefined || encoding === "" || encoding === "identity") return;
  throw new AppError("unsupported_media_type", "The body may not be compressed.", {
    acceptedCodings: ["identity"],
  });
}

/**
 * Reads a body line by line; blank lines are passed over.
 *
 * @param bytesMax of one line
 * @param read makes of a line what is wanted
 * @throws AppError payload_too_large for a line that is too long; malformed_request, with the number of the line, for one
 *   that `read` refuses by a RestError
 */
export async function* readLines<Value>(
  body: AsyncIterable<Uint8Array>,
  bytesMax: number,
  read: (line: Uint8Array) => Value,
): AsyncGenerator<Value> {
  let number = 0;
  let parts: Uint8Array[] = [];
  let size = 0;
  const take = function* (): Generator<Value> {
    const line = Buffer.concat(parts);
    parts = [];
    size = 0;
    number += 1;
    if (!line.every((byte) => blank.has(byte))) yield readLine(line, number, read);
  };
  const add = (part: Uint8Array): void => {
    parts.push(part);
    size += part.byteLength;
    if (size <= bytesMax) return;
    throw new AppError("payload_too_large", `Line ${number + 1} is longer than ${bytesMax} bytes.`);
  };
  for await (const chunk of body) {
    let from = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, from)) {
      // Empty lines cost next to nothing, however many a caller sends.
      if (end === from && size === 0) number += 1;
      else {
        add(chunk.subarray(from, end));
        yield* take();
      }
      from = end + 1;
    }
    if (from < chunk.byteLength) add(chunk.subarray(from));
  }
  if (size > 0) yield* take();
}

function readLine<Value>(line: Uint8Array, number: number, read: (line: Uint8Array) => Value): Value {
  try {
    return read(line);
  } catch (error) {
    if (!(error instanceof RestError)) throw error;
    const { field } = error;
    const fields = field === undefined ? [] : [{ field: field.path, code: field.code, detail: field.detail }];
    throw new AppError("malformed_request", `Line ${number} cannot be read. ${error.message}`, {
      fields,
      cause: error,
    });
  }
}
