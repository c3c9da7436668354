import { type DescMethodUnary, toBinary, toJson } from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import {
  codeToHttpStatus,
  codeToString,
  contentTypeUnaryJson,
  contentTypeUnaryProto,
  parseTimeout,
} from "@connectrpc/connect/protocol-connect";
import { AppError } from "../../../errors/app-error.ts";
import { type Reason, reasons } from "../../../errors/reasons.ts";
import { lowerAscii } from "../../../lib/http-text.ts";
import { isUtf8 } from "../../../transcoding/content-type.ts";
import { parseMediaType } from "../../../transcoding/media-type.ts";
import type { RpcFailure } from "../../../api/failure.ts";
import type { Exchange } from "../../exchange/exchange.ts";
import { messageBytesMax } from "../../connection/limits.ts";
import { parseConnectQuery } from "./connect-query.ts";
import { decompress, requireEncoding } from "./decompress.ts";
import { readMessage, writeMessage } from "./serialization.ts";
import type { UnaryFraming, UnaryProtocol } from "./unary-protocol.ts";

/** Failures that are HTTP's own: they happen before there is a call, and keep HTTP's status. */
const httpReasons: ReadonlySet<Reason> = new Set([
  "not_found",
  "method_not_allowed",
  "uri_too_long",
  "unsupported_media_type",
  "headers_too_large",
]);

/** Unary calls of the Connect protocol, by POST and by GET. */
export const connectUnary: UnaryProtocol = {
  name: "connect",
  open: (exchange, method) =>
    exchange.method === "GET" ? openGet(exchange, method) : openPost(exchange, method),
  fail: (_exchange, failure) => ({
    status: httpReasons.has(failure.reason) ? reasons[failure.reason].status : codeToHttpStatus(failure.code),
    headers: { ...failure.headers, "content-type": contentTypeUnaryJson },
    body: Buffer.from(JSON.stringify(presentFailure(failure))),
  }),
};

/** https://connectrpc.com/docs/protocol#error-end-stream: base 64 without padding, and the detail as JSON beside it. */
function presentFailure({ code, message, details }: RpcFailure): object {
  return {
    code: codeToString(code),
    message,
    details: details.map(({ desc, value }) => ({
      type: desc.typeName,
      debug: toJson(desc, value),
      value: base64Encode(toBinary(desc, value), "std_raw"),
    })),
  };
}

function openPost(exchange: Exchange, method: DescMethodUnary): UnaryFraming {
  if (exchange.method !== "POST") throw methodNotAllowed(method);
  const subtype = readSubtype(exchange.header("content-type"));
  checkVersion(exchange.header("connect-protocol-version"));
  // RFC 9110 section 8.4.1: in any case.
  const encoding = requireEncoding(lowerAscii(exchange.header("content-encoding") ?? ""));
  return open(exchange, method, subtype === "proto", true, (body) =>
    decompress(body, encoding, messageBytesMax),
  );
}

function readSubtype(contentType: string | undefined): "json" | "proto" {
  const mediaType = parseMediaType(contentType ?? "");
  const subtype = mediaType?.type === "application" && isUtf8(mediaType) ? mediaType.subtype : null;
  if (subtype === "json" || subtype === "proto") return subtype;
  throw new AppError(
    "unsupported_media_type",
    "The content type must be application/json or application/proto, in UTF-8.",
  );
}

/** https://connectrpc.com/docs/protocol: the message stands in the query. */
function openGet(exchange: Exchange, method: DescMethodUnary): UnaryFraming {
  if (!allowsGet(method)) throw methodNotAllowed(method);
  const query = parseConnectQuery(exchange.query);
  const kind = query.text("encoding");
  if (kind !== "json" && kind !== "proto") {
    throw new AppError("unsupported_media_type", "The query parameter encoding must be json or proto.");
  }
  checkVersion(query.text("connect")?.replace(/^v/, ""));
  const encoding = requireEncoding(query.text("compression"));
  const message = query.message();
  return open(exchange, method, kind === "proto", false, () =>
    decompress(message, encoding, messageBytesMax),
  );
}

function open(
  exchange: Exchange,
  method: DescMethodUnary,
  binary: boolean,
  needsBody: boolean,
  messageBytes: (body: Uint8Array) => Uint8Array,
): UnaryFraming {
  const timeout = parseTimeout(exchange.header("connect-timeout-ms") ?? null, Number.MAX_SAFE_INTEGER);
  if (timeout.error !== undefined) {
    throw new AppError("malformed_request", "The Connect-Timeout-Ms header is malformed.");
  }
  return {
    timeoutMs: timeout.timeoutMs,
    needsBody,
    parse: (body) => readMessage(method, binary, messageBytes(body)),
    succeed: (message, headers) => ({
      status: 200,
      headers: {
        ...headers,
        "content-type": binary ? contentTypeUnaryProto : contentTypeUnaryJson,
      },
      body: writeMessage(method, binary, message),
    }),
  };
}

function allowsGet(method: DescMethodUnary): boolean {
  return method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
}

function methodNotAllowed(method: DescMethodUnary): AppError {
  const allow = allowsGet(method) ? ["GET", "POST"] : ["POST"];
  return new AppError("method_not_allowed", "The RPC cannot be called by this method.", { allow });
}

function checkVersion(version: string | undefined): void {
  if (version === undefined || version === "1") return;
  throw new AppError("malformed_request", "The version of the Connect protocol must be 1.");
}
