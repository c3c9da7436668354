import type { Duplex } from "node:stream";
import { STATUS_CODES } from "node:http";
import { AppError, reasons } from "../domain/errors.ts";
import { problemOf, type ProblemAddress } from "./problem.ts";

/** What Node tells of a request that its parser gave up on. */
interface ParserError extends Error {
  readonly code?: string;
  readonly rawPacket?: Buffer;
}

/**
 * Answers a request that could not be parsed as HTTP/1.1, and closes the connection. There is no
 * request to negotiate with, so that the answer is a problem in its own media type.
 */
export function answerUnparsable(
  error: ParserError,
  socket: Duplex,
  requestId: string,
  address: ProblemAddress,
): void {
  // The peer is gone, or an answer is under way already.
  const answered = "_httpMessage" in socket && socket._httpMessage !== null;
  if (error.code === "ECONNRESET" || !socket.writable || answered) {
    socket.destroy();
    return;
  }
  const failure = explain(error);
  const body = Buffer.from(JSON.stringify(problemOf(failure, requestId, address)));
  const { status } = reasons[failure.reason];
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    "content-type: application/problem+json",
    `content-length: ${body.byteLength}`,
    "cache-control: no-store",
    "x-content-type-options: nosniff",
    `x-request-id: ${requestId}`,
    "connection: close",
  ];
  socket.end(Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]));
}

function explain(error: ParserError): AppError {
  switch (error.code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new AppError("request_timeout", "The request did not arrive in time.");
    case "HPE_HEADER_OVERFLOW":
      return error.rawPacket?.includes("\n") === false
        ? new AppError("uri_too_long", "The request target is too long.")
        : new AppError("headers_too_large", "The header is too large.");
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return new AppError("payload_too_large", "The chunk extensions are too large.");
    default:
      return new AppError("malformed_request", "The request is not well-formed HTTP.");
  }
}
