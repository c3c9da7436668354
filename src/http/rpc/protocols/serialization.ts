import {
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  fromJson,
  type Message,
} from "@bufbuild/protobuf";
import {
  createMethodSerializationLookup,
  type MethodSerializationLookup,
} from "@connectrpc/connect/protocol";
import { AppError } from "../../../errors/app-error.ts";
import { parseJsonText } from "../../../transcoding/json-text.ts";
import { RestError } from "../../../transcoding/rest-error.ts";

const known = new WeakMap<DescMethodUnary, MethodSerializationLookup<DescMessage, DescMessage>>();
// The body is bounded where it is read.
const limits = { readMaxBytes: 0xffff_ffff, writeMaxBytes: 0xffff_ffff };
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
export function writeMessage(method: DescMethodUnary, binary: boolean, message: Message): Uint8Array {
  let lookup = known.get(method);
  if (lookup === undefined) {
    lookup = createMethodSerializationLookup(method, undefined, undefined, limits);
    known.set(method, lookup);
  }
  return lookup.getO(binary).serialize(message);
}
