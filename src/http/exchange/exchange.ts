import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { AppError } from "../../errors/app-error.ts";
import type { Reason } from "../../errors/reasons.ts";
import type { Deadlines } from "../../lib/deadlines.ts";
import { joinLines } from "../../lib/http-text.ts";
import type { RequestMetrics, RpcMeasurement } from "../../ops/metrics/request-metrics.ts";
import type { Fields, Wire, WireEvents } from "../connection/wire.ts";
import type { Cors } from "./cors.ts";
import { type BodyReading, bodyTooLarge, readBody } from "./read-body.ts";
import type { Reply } from "./reply.ts";
import { beginTrace, type RequestTrace } from "./request-trace.ts";

/** The fields of a request's log line beside those of HTTP. Only declared fields: no text of a caller's. */
export interface Outcome {
  protocol: "grpc" | "grpc-web" | "connect" | "rest" | "http";
  rpc: string | null;
  reason: Reason | null;
  error: unknown;
  userId: string | null;
}

/** What every exchange is limited by, what its answer says, and where its calls are counted. */
export interface ExchangeOptions {
  readonly metrics: Pick<RequestMetrics, "beginRpc">;
  readonly bodyBytesMax: number;
  /** For the body of a request, from when it is wanted. */
  readonly bodyArrivals: Deadlines;
  readonly cors: Pick<Cors, "headersFor">;
  /** What every answer says for the sake of browsers. */
  readonly securityHeaders: Fields;
  /** Whether the listener is draining: HTTP/1.1 connections are then closed after the answer. */
  isDraining(): boolean;
}

const knownMethods: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
]);
const noBytes = new Uint8Array(0);
const requestIdForm = /^[A-Za-z0-9_-]{1,64}$/;
// RFC 9110 section 10.1.1; a client of HTTP/1.0 cannot mean it.
const continueForm = /^100-continue$/i;

/** One request and its answer, the same for HTTP/1.1 and HTTP/2. */
export class Exchange implements WireEvents {
  readonly wire: Wire;
  readonly requestId: string;
  /** The caller's address, by TRUSTED_PROXIES. */
  readonly clientAddress: string;
  readonly method: string;
  /** The method for logs and spans: "other" for one that a caller made up. */
  readonly knownMethod: string;
  readonly trace: RequestTrace;
  /** The request's path as it was sent, without the query. */
  readonly path: string;
  /** Without the question mark; empty where there is none. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly startedAt = performance.now();
  /** Cookies to be set with the answer, whether it is a success or a failure. */
  readonly cookies: string[] = [];
  /** Unset fields of the answer that JSON over REST writes as null. */
  readonly nulls: string[] = [];
  readonly outcome: Outcome = { protocol: "http", rpc: null, reason: null, error: undefined, userId: null };
  /** The call under way, in the metrics; null where the request has reached no RPC. */
  rpcMeasurement: RpcMeasurement | null = null;
  /** Whether its HTTP/1.1 connection ends with it. */
  isLast = false;
  /** What the call adds to the header fields of its answer. */
  readonly addedHeaders: Record<string, string> = {};
  readonly #options: ExchangeOptions;
  readonly #overListeners: (() => void)[] = [];
  #reading: BodyReading | null = null;
  /** Whether the caller waits for a 100 before it sends the body. */
  #awaitsContinue: boolean;
  #bodyFailure: AppError | null = null;
  /** Set when the caller has gone before the answer was complete. */
  #gone: AppError | null = null;
  #controller: AbortController | null = null;

  constructor(wire: Wire, options: ExchangeOptions) {
    this.wire = wire;
    this.#options = options;
    this.clientAddress = wire.caller.address;
    this.headers = wire.headers;
    this.method = wire.method;
    this.knownMethod = knownMethods.has(this.method) ? this.method : "other";
    this.trace = beginTrace(this.knownMethod, this.headers);
    const target = pathOf(wire.target);
    const mark = target.indexOf("?");
    this.path = mark === -1 ? target : target.slice(0, mark);
    this.query = mark === -1 ? "" : target.slice(mark + 1);
    const given = this.header("x-request-id");
    this.requestId = given !== undefined && requestIdForm.test(given) ? given : randomUUID();
    const { expect } = this.headers;
    this.#awaitsContinue = expect !== undefined && wire.httpVersion !== "1.0" && continueForm.test(expect);
    wire.attach(this);
  }

  /** Aborted, with an AppError, when the caller goes before the answer is complete. Made for whoever asks first. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#gone !== null) this.#controller.abort(this.#gone);
    return this.#controller.signal;
  }

  /** A header field's value, its lines joined; undefined where it was not sent. */
  header(name: string): string | undefined {
    return joinLines(this.headers[name]);
  }

  /** The request is for an RPC of the table. @param rpc `package.Service/Method` */
  beginRpc(rpc: string, isStream = false): void {
    const { outcome } = this;
    outcome.rpc = rpc;
    if (outcome.protocol === "http") throw new Error("an RPC was reached by no protocol");
    this.rpcMeasurement = this.#options.metrics.beginRpc(rpc, outcome.protocol, isStream);
    this.trace.nameRpc(rpc, outcome.protocol);
  }

  /** Reads the body whole, once. @throws AppError payload_too_large, request_timeout, malformed_request, cancelled */
  async readBody(): Promise<Uint8Array> {
    const { bodyBytesMax: bytesMax, bodyArrivals: arrivals } = this.#options;
    if (Number(this.headers["content-length"] ?? 0) > bytesMax) throw bodyTooLarge(bytesMax);
    const failure = this.#bodyFailure ?? this.#gone;
    if (failure !== null) throw failure;
    this.#continue();
    if (!this.wire.hasBody) return noBytes;
    this.#reading = readBody(this.wire.body, { bytesMax, arrivals });
    return this.#reading.bytes;
  }

  /** The body as it comes, of any length. @throws AppError malformed_request, cancelled */
  openBody(): AsyncIterable<Uint8Array> {
    const failure = this.#bodyFailure ?? this.#gone;
    if (failure !== null) throw failure;
    this.#continue();
    // Over HTTP/2 the answer leaves by the same stream: whoever stops reading must not end it.
    return this.wire.hasBody ? this.wire.body.iterator({ destroyOnReturn: false }) : none();
  }

  #continue(): void {
    if (this.#awaitsContinue) this.wire.sendContinue();
    this.#awaitsContinue = false;
  }

  /** Answers. Where the caller has gone, or an answer is under way already, nothing happens. */
  reply({ status, headers, body, trailers }: Reply): void {
    if (this.#gone !== null || !this.wire.isOpen) return;
    const lines = this.#headerLines(headers);
    // RFC 9110 section 8.6: a 304 would give the length of a body that it does not send. HTTP/1.1 sends trailers only
    // with a chunked body (RFC 9112 section 7.1.2).
    const hasLength = status !== 204 && status !== 304 && trailers === undefined;
    if (hasLength) lines.push("content-length", String(body?.byteLength ?? 0));
    this.wire.send(status, lines, body, trailers);
  }

  /** Begins an answer whose body is sent piece by piece. Where the caller has gone, nothing happens. */
  beginReply(status: number, headers: Fields): void {
    if (this.#gone === null && this.wire.isOpen) this.wire.sendHead(status, this.#headerLines(headers));
  }

  /** Has a listener called when the exchange is over, however it ended; after `outcome` says so. */
  whenOver(listener: () => void): void {
    this.#overListeners.push(listener);
  }

  onBodyBroken(error: Error): void {
    // A broken connection says so in Node's words; what the parser found wrong comes as an AppError.
    this.#bodyFailure = error instanceof AppError ? error : callerHasGone();
    this.#reading?.fail(this.#bodyFailure);
  }

  onClosed(isAnswered: boolean): void {
    if (!isAnswered) {
      this.outcome.reason ??= "cancelled";
      this.#gone = callerHasGone();
      this.#reading?.fail(this.#gone);
      this.#controller?.abort(this.#gone);
    }
    for (const listener of this.#overListeners) listener();
  }

  /** The names and values of an answer's header lines, in turn. A reply's own fields stand in place of the common ones. */
  #headerLines(own: Fields): string[] {
    const { securityHeaders, cors } = this.#options;
    const shared = cors.headersFor(this.header("origin"));
    const lines = ["x-request-id", this.requestId];
    for (const fields of [securityHeaders, shared, this.addedHeaders]) {
      for (const name in fields) if (own[name] === undefined) lines.push(name, fields[name] ?? "");
    }
    for (const name in own) {
      const value = own[name] ?? "";
      // Whatever an answer depends on, and on the origin as well.
      lines.push(name, name === "vary" && shared[name] !== undefined ? `${shared[name]}, ${value}` : value);
    }
    for (const cookie of this.cookies) lines.push("set-cookie", cookie);
    const { traceresponse } = this.trace;
    if (traceresponse !== null) lines.push("traceresponse", traceresponse);
    if (this.wire.httpVersion !== "2.0" && this.#isLast()) lines.push("connection", "close");
    return lines;
  }

  /** Whether nothing can follow on an HTTP/1.1 connection: where the body would end is not known, or too late. */
  #isLast(): boolean {
    const bodyIsLate = this.outcome.reason === "request_timeout";
    const bodyIsUnknown = this.#bodyFailure !== null || this.#awaitsContinue;
    return this.isLast || bodyIsLate || bodyIsUnknown || this.#options.isDraining();
  }
}

/** RFC 9112 section 3.2: servers take the absolute form too. Its authority says nothing new. */
function pathOf(target: string): string {
  if (target.startsWith("/")) return target;
  const match = /^https?:\/\/[^/?#]*/i.exec(target);
  return match === null ? target : target.slice(match[0].length) || "/";
}

async function* none(): AsyncGenerator<Uint8Array> {
  // Nothing comes.
}

function callerHasGone(): AppError {
  return new AppError("cancelled", "The caller has gone.");
}
