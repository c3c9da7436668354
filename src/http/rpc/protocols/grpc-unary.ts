import { create, toBinary } from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { parseTimeout } from "@connectrpc/connect/protocol-grpc";
import { AppError } from "../../../errors/app-error.ts";
import { StatusSchema } from "../../../gen/google/rpc/status_pb.ts";
import { lowerAscii } from "../../../lib/http-text.ts";
import type { RpcFailure } from "../../../api/failure.ts";
import type { Exchange } from "../../exchange/exchange.ts";
import { messageBytesMax } from "../../connection/limits.ts";
import type { Reply } from "../../exchange/reply.ts";
import { base64Reply, readBase64Body } from "./base64-body.ts";
import { acceptedEncodings, decompress, requireEncoding } from "./decompress.ts";
import { readMessage, writeMessage } from "./serialization.ts";
import type { UnaryProtocol } from "./unary-protocol.ts";

const envelopeBytes = 5;
const compressedFlag = 0b0000_0001;
const trailerFlag = 0b1000_0000;
const succeeded: Fields = { "grpc-status": "0" };

/** gRPC over HTTP/2: the status travels in the trailers. */
export const grpcUnary: UnaryProtocol = createGrpcProtocol("grpc", (headers, trailers, data) => ({
  status: 200,
  headers,
  body: data,
  trailers,
}));

/** gRPC-Web: as gRPC, with the trailers as a last envelope of the body. */
export const grpcWebUnary: UnaryProtocol = createGrpcProtocol("grpc-web", assembleWeb);

/** gRPC-Web in its text form, for browsers whose scripts get no bytes: all of it in base64. */
export const grpcWebTextUnary: UnaryProtocol = createGrpcProtocol(
  "grpc-web-text",
  (...parts) => base64Reply(assembleWeb(...parts)),
  readBase64Body,
);

type Fields = Readonly<Record<string, string>>;

/** Puts an answer together from its header fields, its trailers, and its enveloped message. */
type Assemble = (headers: Fields, trailers: Fields, data: Uint8Array | null) => Reply;

function assembleWeb(headers: Fields, trailers: Fields, data: Uint8Array | null): Reply {
  const lines = Object.entries(trailers).map(([name, value]) => `${name}: ${value}\r\n`);
  const last = envelope(trailerFlag, Buffer.from(lines.join(""), "latin1"));
  return { status: 200, headers, body: data === null ? last : Buffer.concat([data, last]) };
}

/** What a content type says of the messages, and the answer's. */
interface Format {
  readonly binary: boolean;
  readonly contentType: string;
}

function formatOf(subtype: string, codec: string | undefined): Format {
  const suffix = codec === undefined ? "" : `+${codec}`;
  return { binary: codec !== "json", contentType: `application/${subtype}${suffix}` };
}

/** @param readBody undoes what the form does to the body as a whole; nothing by default */
function createGrpcProtocol(
  subtype: "grpc" | "grpc-web" | "grpc-web-text",
  assemble: Assemble,
  readBody: (body: Uint8Array) => Uint8Array = (body) => body,
): UnaryProtocol {
  const form = new RegExp(`^application/${subtype}(?:\\+(proto|json))?[ \\t]*(?:;.*)?$`, "i");
  const usual = formatOf(subtype, undefined);
  // As clients spell them.
  const known = new Map(
    [usual, formatOf(subtype, "proto"), formatOf(subtype, "json")].map((one) => [one.contentType, one]),
  );
  const readFormat = (exchange: Exchange): Format | null => {
    const given = exchange.header("content-type") ?? "";
    const match = known.has(given) ? null : form.exec(given);
    return match === null ? (known.get(given) ?? null) : formatOf(subtype, match[1] && lowerAscii(match[1]));
  };
  return {
    name: subtype === "grpc-web-text" ? "grpc-web" : subtype,
    open(exchange, method) {
      const format = readFormat(exchange);
      if (format === null) {
        throw new AppError("unsupported_media_type", `The content type must be application/${subtype}.`);
      }
      if (exchange.method !== "POST") {
        const detail = "The RPC cannot be called by this method.";
        throw new AppError("method_not_allowed", detail, { allow: ["POST"] });
      }
      const encoding = requireEncoding(exchange.header("grpc-encoding"));
      const timeout = parseTimeout(exchange.header("grpc-timeout") ?? null, Number.MAX_SAFE_INTEGER);
      if (timeout.error !== undefined) {
        throw new AppError("malformed_request", "The Grpc-Timeout header is malformed.");
      }
      const { binary, contentType } = format;
      return {
        timeoutMs: timeout.timeoutMs,
        needsBody: true,
        parse: (body) => readMessage(method, binary, openEnvelope(readBody(body), encoding)),
        succeed(message, headers) {
          const data = envelope(0, writeMessage(method, binary, message));
          return assemble({ ...headers, "content-type": contentType }, succeeded, data);
        },
      };
    },
    fail(exchange, failure) {
      const headers = {
        "grpc-accept-encoding": acceptedEncodings.join(","),
        "content-type": (readFormat(exchange) ?? usual).contentType,
      };
      return assemble(headers, failureTrailers(failure), null);
    },
  };
}

/** Only what is not printable ASCII, and the percent sign, is encoded: grpc-js undoes no more. */
export function encodeGrpcMessage(message: string): string {
  return message.replace(/[^ -$&-~]+/gu, encodeURIComponent);
}

function failureTrailers({ code, message, headers, details }: RpcFailure): Fields {
  // What it says, grpc-accept-encoding says to gRPC.
  const { "accept-encoding": _, ...fields } = headers;
  const packed = details.map(({ desc, value }) => anyPack(desc, value));
  const status = create(StatusSchema, { code, message, details: packed });
  return {
    ...fields,
    "grpc-status": String(code),
    "grpc-message": encodeGrpcMessage(message),
    "grpc-status-details-bin": base64Encode(toBinary(StatusSchema, status), "std_raw"),
  };
}

function envelope(flags: number, data: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(envelopeBytes + data.byteLength);
  bytes.writeUInt8(flags, 0);
  bytes.writeUInt32BE(data.byteLength, 1);
  bytes.set(data, envelopeBytes);
  return bytes;
}

/** The one message of a unary call's body. */
function openEnvelope(body: Uint8Array, encoding: string | undefined): Uint8Array {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const length = bytes.byteLength < envelopeBytes ? -1 : bytes.readUInt32BE(1);
  if (bytes.byteLength !== envelopeBytes + length) {
    throw new AppError("malformed_request", "The body is not one length-prefixed message.");
  }
  const flags = bytes.readUInt8(0);
  if ((flags & ~compressedFlag) !== 0) {
    throw new AppError("malformed_request", "The message has unknown flags.");
  }
  const compressed = (flags & compressedFlag) !== 0;
  if (compressed && (encoding === undefined || encoding === "identity")) {
    throw new AppError("malformed_request", "The message is compressed, but no encoding is named.");
  }
  return decompress(bytes.subarray(envelopeBytes), compressed ? encoding : undefined, messageBytesMax);
}
