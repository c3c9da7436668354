import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { AppError } from "../../errors/app-error.ts";
import { type Reason, reasons } from "../../errors/reasons.ts";
import { canonicalAddress } from "../../lib/ip-address.ts";
import { STATUS_CODES } from "../../lib/node-http.ts";
import { uriBytesMax } from "./limits.ts";
import { problemOf, type ProblemAddress } from "../rest/problem.ts";

/** What Node reports about a request that its parser refused. */
interface ParserError extends Error {
  readonly code?: string;
  readonly rawPacket?: Buffer;
}

/** Answers what cannot be parsed as HTTP/1.1; for the `clientError` event. */
export type AnswerUnparsable = (error: Error, socket: Duplex) => void;

// How long the peer has to take the answer. Closing at once would reset the connection, and the answer
// be lost, where more of the request is on its way.
const lingerMs = 1_000;

/**
 * An unreadable header leaves no request to negotiate with: it is answered with a problem in its own
 * media type, and the connection closed. An unreadable body fails its exchange, which answers.
 *
 * @param options `inFirstLine`: connections whose first bytes did not end a line; `latest`: the answer to a connection's
 *   last request whose header could be parsed; `onAnswered`: called for each answer that belongs to no exchange
 */
export function createAnswerUnparsable({
  address,
  securityHeaders,
  log,
  inFirstLine,
  latest,
  onAnswered,
}: {
  readonly address: ProblemAddress;
  readonly securityHeaders: Readonly<Record<string, string>>;
  readonly log: { info(fields: object, message: string): void };
  readonly inFirstLine: WeakSet<Duplex>;
  readonly latest: (socket: Duplex) => ServerResponse | undefined;
  readonly onAnswered: (reason: Reason) => void;
}): AnswerUnparsable {
  const answered = new WeakSet<Duplex>();

  const answer = (failure: AppError, socket: Duplex): void => {
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    const requestId = randomUUID();
    const body = Buffer.from(JSON.stringify(problemOf(failure, requestId, address)));
    const { status } = reasons[failure.reason];
    socket.end(rawAnswer(status, { "x-request-id": requestId, ...securityHeaders }, body));
    closeSoon(socket);
    onAnswered(failure.reason);
    log.info(describe(failure, requestId, socket), "request");
  };

  return (error: ParserError, socket) => {
    if (answered.has(socket)) return;
    const response = latest(socket);
    const failure = explain(error, response === undefined && inFirstLine.has(socket));
    const inBody = response !== undefined && !response.req.complete;
    if (failure === null || (inBody && isEndOfInput(error))) {
      socket.destroy();
      return;
    }
    answered.add(socket);
    if (inBody && response.headersSent) closeSoon(socket);
    else if (inBody) response.req.emit("error", failure);
    // Pipelined behind a request that is under way: answers keep their order.
    else if (response?.writableFinished === false) response.once("finish", () => answer(failure, socket));
    else answer(failure, socket);
  };
}

function closeSoon(socket: Duplex): void {
  const lingering = setTimeout(() => socket.destroy(), lingerMs);
  socket.once("close", () => clearTimeout(lingering));
}

function rawAnswer(status: number, headers: Readonly<Record<string, string>>, body: Buffer): Buffer {
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    "content-type: application/problem+json",
    `content-length: ${body.byteLength}`,
    "cache-control: no-store",
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    "connection: close",
  ];
  return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]);
}

function describe(failure: AppError, requestId: string, socket: Duplex): object {
  return {
    request_id: requestId,
    protocol: "http",
    rpc: null,
    method: null,
    status: reasons[failure.reason].status,
    reason: failure.reason,
    client_address: canonicalAddress((socket as Socket).remoteAddress ?? ""),
  };
}

/**
 * What was wrong with the request; null where the connection itself broke.
 *
 * @param inFirstLine whether the request's target may have begun in an earlier packet
 */
function explain(error: ParserError, inFirstLine: boolean): AppError | null {
  switch (error.code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new AppError("request_timeout", "The request did not arrive in time.");
    case "HPE_HEADER_OVERFLOW":
      return isLongTarget(error.rawPacket, inFirstLine)
        ? new AppError("uri_too_long", `The request target is longer than ${uriBytesMax} bytes.`)
        : new AppError("headers_too_large", "The header is too large.");
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return new AppError("payload_too_large", "The chunk extensions are too large.");
    default:
      return error.code?.startsWith("HPE_") === true
        ? new AppError("malformed_request", "The request is not well-formed HTTP.")
        : null;
  }
}

/** Whether a packet begins with a request line that alone is too long, or goes on with one. */
function isLongTarget(packet: Buffer | undefined, inFirstLine: boolean): boolean {
  if (packet === undefined) return false;
  const begins = /^[A-Z]+ [!-~\x80-\xff]/.test(packet.subarray(0, 32).toString("latin1"));
  if (!begins && !inFirstLine) return false;
  const end = packet.indexOf("\n");
  return (end === -1 ? packet.byteLength : end) > uriBytesMax;
}

/** The peer has said that it sends no more, in the middle of a request. */
function isEndOfInput(error: ParserError): boolean {
  return error.code === "HPE_INVALID_EOF_STATE";
}
