import { type DescMethodUnary, fromBinary, fromJson, type Message, toBinary } from "@bufbuild/protobuf";
import { AppError } from "../../../errors/app-error.ts";
import { parseJsonText } from "../../../transcoding/json-text.ts";
import { RestError } from "../../../transcoding/rest-error.ts";
import { createJsonWriters } from "../../../transcoding/write-json.ts";

// As the specification of Protobuf has it.
const json = createJsonWriters({
  names: "json",
  writesZeros: false,
  isNullable: () => false,
  registry: undefined,
});
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads a request message. JSON is held to what REST holds it to: well-formed UTF-8 and Unicode, and
 * no member twice. Unknown members are passed over, as both protocols want.
 *
 * @throws AppError malformed_request; RestError 400
 */
export function readMessage(method: DescMethodUnary, binary: boolean, bytes: Uint8Array): Message {
  try {
    if (binary) return fromBinary(method.input, bytes);
    return fromJson(method.input, parseJsonText(utf8.decode(bytes)), { ignoreUnknownFields: true });
  } catch (error) {
    if (error instanceof RestError) throw error;
    // The bytes are the caller's, and nothing else is read here. The library's error quotes them, so it
    // is not kept as a cause.
    throw new AppError("malformed_request", "The request message cannot be read.");
  }
}

/** Writes an answer, in binary or in ProtoJSON. */
export function writeMessage({ output }: DescMethodUnary, binary: boolean, message: Message): Uint8Array {
  return binary ? toBinary(output, message) : Buffer.from(json.message(output)(message));
}
