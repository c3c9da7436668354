import type { DescMethodUnary } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import {
  codeToHttpStatus,
  contentTypeUnaryJson,
  contentTypeUnaryProto,
  errorToJsonBytes,
  parseTimeout,
  trailerMux,
} from "@connectrpc/connect/protocol-connect";
import { AppError, type Reason, reasons } from "../../domain/errors.ts";
import { toAppError } from "../../rpc/failure.ts";
import type { Exchange } from "../exchange.ts";
import { messageBytesMax } from "../limits.ts";
import { headersToObject } from "../reply.ts";
import { decompress, isAcceptedEncoding } from "./decompress.ts";
import { readMessage, writeMessage } from "./serialization.ts";
import type { OpenCall, UnaryProtocol } from "./unary-protocol.ts";

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
  fail(_exchange, error) {
    const { reason } = toAppError(error);
    return {
      status: httpReasons.has(reason) ? reasons[reason].status : codeToHttpStatus(error.code),
      headers: { ...headersToObject(error.metadata), "content-type": contentTypeUnaryJson },
      body: errorToJsonBytes(error, undefined),
    };
  },
};

function openPost(exchange: Exchange, method: DescMethodUnary): OpenCall {
  if (exchange.method !== "POST") throw methodNotAllowed(method);
  const type = /^application\/(json|proto)[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?$/i.exec(
    exchange.header("content-type") ?? "",
  );
  if (type === null) {
    throw new AppError(
      "unsupported_media_type",
      "The content type must be application/json or application/proto.",
    );
  }
  checkVersion(exchange.header("connect-protocol-version"));
  const encoding = requireEncoding(exchange.header("content-encoding"));
  return open(exchange, method, type[1]?.toLowerCase() === "proto", true, (body) =>
    decompress(body, encoding, messageBytesMax),
  );
}

/** https://connectrpc.com/docs/protocol: the message stands in the query. */
function openGet(exchange: Exchange, method: DescMethodUnary): OpenCall {
  if (!allowsGet(method)) throw methodNotAllowed(method);
  const query = new URLSearchParams(exchange.query);
  const kind = query.get("encoding");
  if (kind !== "json" && kind !== "proto") {
    throw new AppError("unsupported_media_type", "The query parameter encoding must be json or proto.");
  }
  checkVersion(query.get("connect")?.replace(/^v/, ""));
  const encoding = requireEncoding(query.get("compression") ?? undefined);
  const message = query.get("message") ?? "";
  const base64 = query.get("base64") === "1";
  return open(exchange, method, kind === "proto", false, () =>
    decompress(base64 ? decodeBase64(message) : Buffer.from(message), encoding, messageBytesMax),
  );
}

function open(
  exchange: Exchange,
  method: DescMethodUnary,
  binary: boolean,
  needsBody: boolean,
  messageBytes: (body: Uint8Array) => Uint8Array,
): OpenCall {
  const timeout = parseTimeout(exchange.header("connect-timeout-ms") ?? null, Number.MAX_SAFE_INTEGER);
  if (timeout.error !== undefined) {
    throw new AppError("malformed_request", "The Connect-Timeout-Ms header is malformed.");
  }
  return {
    timeoutMs: timeout.timeoutMs,
    needsBody,
    parse: (body) => readMessage(method, binary, messageBytes(body)),
    succeed: (message, header, trailer) => ({
      status: 200,
      headers: {
        ...headersToObject(trailerMux(header, trailer)),
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

function requireEncoding(encoding: string | undefined): string | undefined {
  if (isAcceptedEncoding(encoding)) return encoding;
  throw new AppError("unsupported_media_type", "The message may be compressed with gzip only.");
}

function decodeBase64(text: string): Uint8Array {
  try {
    return base64Decode(text);
  } catch (error) {
    throw new AppError("malformed_request", "The message is not base 64.", { cause: error });
  }
}
