import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { constants } from "node:http2";
import type { BlockList } from "node:net";
import { AppError } from "../../errors/app-error.ts";
import type { Reason } from "../../errors/reasons.ts";
import { clientAddress } from "../../lib/ip-address.ts";
import type { Cors } from "./cors.ts";
import type { RequestMetrics, RpcMeasurement } from "../../ops/metrics/request-metrics.ts";
import { endExchange } from "./end-exchange.ts";
import type { NodeRequest, NodeResponse } from "../connection/node-http.ts";
import { readBody } from "./read-body.ts";
import type { Reply } from "./reply.ts";
import { beginTrace, type RequestTrace } from "./request-trace.ts";

export type { NodeRequest, NodeResponse } from "../connection/node-http.ts";

/** The fields of a request's log line beside those of HTTP. Only declared fields: no text of a caller's. */
export interface Outcome {
  protocol: "grpc" | "grpc-web" | "connect" | "rest" | "http";
  rpc: string | null;
  reason: Reason | null;
  error: unknown;
  userId: string | null;
}

/** What every exchange is limited by, how it finds the caller's address, and where its calls are counted. */
export interface ExchangeOptions {
  readonly metrics: Pick<RequestMetrics, "beginRpc">;
  readonly bodyBytesMax: number;
  readonly bodyTimeoutMs: number;
  readonly trustedProxies: BlockList;
  readonly cors: Pick<Cors, "headersFor">;
  /** What every answer says for the sake of browsers. */
  readonly securityHeaders: Readonly<Record<string, string>>;
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
const requestIdForm = /^[A-Za-z0-9_-]{1,64}$/;
// RFC 9110 section 10.1.1; a client of HTTP/1.0 cannot mean it.
const continueForm = /^100-continue$/i;

/** One request and its answer, the same for HTTP/1.1 and HTTP/2. */
export class Exchange {
  readonly request: NodeRequest;
  readonly response: NodeResponse;
  readonly requestId: string;
  readonly method: string;
  /** The method for logs and spans: "other" for one that a caller made up. */
  readonly knownMethod: string;
  readonly trace: RequestTrace;
  /** The request's path as it was sent, without the query. */
  readonly path: string;
  /** Without the question mark; empty where there is none. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly clientAddress: string;
  /** At the other end of the connection: the caller, or a proxy. */
  readonly peerAddress: string;
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
  readonly #gone = new AbortController();
  /** Whether the caller waits for a 100 before it sends the body. */
  #awaitsContinue: boolean;
  #bodyIsBroken = false;

  constructor(request: NodeRequest, response: NodeResponse, options: ExchangeOptions) {
    this.request = request;
    this.response = response;
    this.#options = options;
    this.headers = request.headers;
    this.method = request.method ?? "";
    this.knownMethod = knownMethods.has(this.method) ? this.method : "other";
    this.trace = beginTrace(this.knownMethod, request.headers);
    const target = pathOf(request.url ?? "");
    const mark = target.indexOf("?");
    this.path = mark === -1 ? target : target.slice(0, mark);
    this.query = mark === -1 ? "" : target.slice(mark + 1);
    const given = this.header("x-request-id");
    this.requestId = given !== undefined && requestIdForm.test(given) ? given : randomUUID();
    this.#awaitsContinue = request.httpVersion !== "1.0" && continueForm.test(this.header("expect") ?? "");
    this.peerAddress = request.socket?.remoteAddress ?? "";
    this.clientAddress = clientAddress(
      this.peerAddress,
      this.header("x-forwarded-for"),
      options.trustedProxies,
    );
    response.once("close", () => {
      if (isAnswered(response)) return;
      this.outcome.reason ??= "cancelled";
      this.#gone.abort(new AppError("cancelled", "The caller has gone."));
    });
    // A broken connection shows as a close; without a listener it would end the process.
    request.on("error", () => {
      this.#bodyIsBroken = true;
    });
    response.on("error", ignore);
  }

  /** Aborted, with an AppError, when the caller goes before the answer is complete. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  /** A header field's value, its lines joined; undefined where it was not sent. */
  header(name: string): string | undefined {
    const value = this.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  /** The request is for an RPC of the table. @param rpc `package.Service/Method` */
  beginRpc(rpc: string, isStream = false): void {
    const { outcome } = this;
    outcome.rpc = rpc;
    if (outcome.protocol === "http") throw new Error("an RPC was reached by no protocol");
    this.rpcMeasurement = this.#options.metrics.beginRpc(rpc, outcome.protocol, isStream);
    this.trace.nameRpc(rpc, outcome.protocol);
  }

  /** Reads the body whole. @throws AppError payload_too_large, request_timeout, malformed_request, cancelled */
  readBody(): Promise<Uint8Array> {
    const limits = { bytesMax: this.#options.bodyBytesMax, timeoutMs: this.#options.bodyTimeoutMs };
    return readBody(this.request, limits, () => {
      if (this.#awaitsContinue) this.response.writeContinue();
      this.#awaitsContinue = false;
    });
  }

  /** The header fields that every answer carries. */
  commonHeaders(): Record<string, string | string[]> {
    const headers: Record<string, string | string[]> = {
      "x-request-id": this.requestId,
      ...this.#options.securityHeaders,
      ...this.#options.cors.headersFor(this.header("origin")),
      ...this.addedHeaders,
    };
    if (this.cookies.length > 0) headers["set-cookie"] = this.cookies;
    const { traceresponse } = this.trace;
    if (traceresponse !== null) headers["traceresponse"] = traceresponse;
    if (this.request.httpVersionMajor === 1 && this.#isLast()) headers["connection"] = "close";
    return headers;
  }

  /** Whether nothing can follow on an HTTP/1.1 connection: where the body would end is not known, or too late. */
  #isLast(): boolean {
    const bodyIsLate = this.outcome.reason === "request_timeout";
    return (
      this.isLast || bodyIsLate || this.#bodyIsBroken || this.#awaitsContinue || this.#options.isDraining()
    );
  }

  /** Answers. Where the caller has gone, or an answer is under way already, nothing happens. */
  reply({ status, headers, body, trailers }: Reply): void {
    // Both HTTP versions' responses have these members with these meanings; their types do not meet.
    const response = this.response as ServerResponse;
    if (response.headersSent || response.destroyed || this.signal.aborted) return;
    const common = this.commonHeaders();
    const all: Record<string, string | number | string[]> = { ...common, ...headers };
    // Whatever an answer depends on, and on the origin as well.
    if (typeof common["vary"] === "string" && headers["vary"] !== undefined) {
      all["vary"] = `${common["vary"]}, ${headers["vary"]}`;
    }
    // RFC 9110 section 8.6: a 304 would give the length of a body that it does not send.
    if (status !== 204 && status !== 304) all["content-length"] = body?.byteLength ?? 0;
    // HTTP/1.1 sends trailers only with a chunked body (RFC 9112 section 7.1.2).
    if (trailers !== undefined) delete all["content-length"];
    // The rest of the request's body is read and dropped.
    this.request.resume();
    response.writeHead(status, all);
    if (trailers !== undefined) response.addTrailers(trailers);
    const bodyless = body === null || this.method === "HEAD";
    if (bodyless) response.end();
    else response.end(body);
    this.end();
  }

  /**
   * Called when the answer is complete. Waits at most the body timeout for the rest of the request, and for a
   * caller that reads slowly.
   */
  end(): void {
    endExchange(this.request, this.response, this.#options.bodyTimeoutMs);
  }
}

/** RFC 9112 section 3.2: servers take the absolute form too. Its authority says nothing new. */
function pathOf(target: string): string {
  const match = /^https?:\/\/[^/?#]*/i.exec(target);
  return match === null ? target : target.slice(match[0].length) || "/";
}

/** Whether a closed response was sent whole. Node's HTTP/2 response looks finished however it ended. */
function isAnswered(response: NodeResponse): boolean {
  if (!("stream" in response)) return response.writableFinished;
  return response.writableEnded && response.stream.rstCode === constants.NGHTTP2_NO_ERROR;
}

function ignore(): void {
  // The close event that follows says what there is to say.
}
