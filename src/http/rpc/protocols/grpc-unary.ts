import type { ConnectError } from "@connectrpc/connect";
import { parseTimeout, setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { trailerSerialize } from "@connectrpc/connect/protocol-grpc-web";
import { AppError } from "../../../errors/app-error.ts";
import { lowerAscii } from "../../../lib/http-text.ts";
import type { Exchange } from "../../exchange/exchange.ts";
import { messageBytesMax } from "../../connection/limits.ts";
import { headersToObject, type Reply } from "../../exchange/reply.ts";
import { base64Reply, readBase64Body } from "./base64-body.ts";
import { acceptedEncodings, decompress, requireEncoding } from "./decompress.ts";
import { readMessage, writeMessage } from "./serialization.ts";
import type { UnaryProtocol } from "./unary-protocol.ts";

const envelopeBytes = 5;
const compressedFlag = 0b0000_0001;
const trailerFlag = 0b1000_0000;

/** gRPC over HTTP/2: the status travels in the trailers. */
export const grpcUnary: UnaryProtocol = createGrpcProtocol("grpc", (contentType, header, trailer, data) => ({
  status: 200,
  headers: { ...headersToObject(header), "content-type": contentType },
  body: data,
  trailers: headersToObject(trailer),
}));

/** gRPC-Web: as gRPC, with the trailers as a last envelope of the body. */
export const grpcWebUnary: UnaryProtocol = createGrpcProtocol("grpc-web", assembleWeb);

/** gRPC-Web in its text form, for browsers whose scripts get no bytes: all of it in base64. */
export const grpcWebTextUnary: UnaryProtocol = createGrpcProtocol(
  "grpc-web-text",
  (...parts) => base64Reply(assembleWeb(...parts)),
  readBase64Body,
);

/** Puts an answer together from its content type, header, trailer, and enveloped message. */
type Assemble = (contentType: string, header: Headers, trailer: Headers, data: Uint8Array | null) => Reply;

function assembleWeb(contentType: string, header: Headers, trailer: Headers, data: Uint8Array | null): Reply {
  return {
    status: 200,
    headers: { ...headersToObject(header), "content-type": contentType },
    body: Buffer.concat([data ?? Buffer.alloc(0), envelope(trailerFlag, trailerSerialize(trailer))]),
  };
}

/** @param readBody undoes what the form does to the body as a whole; nothing by default */
function createGrpcProtocol(
  subtype: "grpc" | "grpc-web" | "grpc-web-text",
  assemble: Assemble,
  readBody: (body: Uint8Array) => Uint8Array = (body) => body,
): UnaryProtocol {
  const contentTypeForm = new RegExp(`^application/${subtype}(?:\\+(proto|json))?[ \\t]*(?:;.*)?$`, "i");
  const formatOf = (exchange: Exchange): string | null | undefined => {
    const match = contentTypeForm.exec(exchange.header("content-type") ?? "");
    return match === null ? null : match[1] && lowerAscii(match[1]);
  };
  const contentTypeOf = (exchange: Exchange): string => {
    const format = formatOf(exchange);
    return `application/${subtype}${typeof format === "string" ? `+${format}` : ""}`;
  };
  return {
    name: subtype === "grpc-web-text" ? "grpc-web" : subtype,
    open(exchange, method) {
      const format = formatOf(exchange);
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
      const binary = format !== "json";
      return {
        timeoutMs: timeout.timeoutMs,
        needsBody: true,
        parse: (body) => readMessage(method, binary, openEnvelope(readBody(body), encoding)),
        succeed(message, header, trailer) {
          const data = envelope(0, writeMessage(method, binary, message));
          return assemble(contentTypeOf(exchange), header, setTrailerStatus(trailer, undefined), data);
        },
      };
    },
    fail(exchange, error) {
      const header = new Headers({ "grpc-accept-encoding": acceptedEncodings.join(",") });
      return assemble(contentTypeOf(exchange), header, failureTrailer(error), null);
    },
  };
}

/**
 * The library percent-encodes more of the message than the gRPC protocol wants, which grpc-js does not
 * undo: only what is not printable ASCII, and the percent sign, is to be encoded.
 */
function failureTrailer(error: ConnectError): Headers {
  const trailer = setTrailerStatus(new Headers(), error);
  // HTTP's name for what grpc-accept-encoding says.
  trailer.delete("accept-encoding");
  trailer.set("grpc-message", error.rawMessage.replace(/[^ -$&-~]+/gu, encodeURIComponent));
  return trailer;
}

function envelope(flags: number, data: Uint8Array): Uint8Array {
  const head = Buffer.alloc(envelopeBytes);
  head.writeUInt8(flags, 0);
  head.writeUInt32BE(data.byteLength, 1);
  return Buffer.concat([head, data]);
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
