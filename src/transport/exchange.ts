import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { BlockList } from "node:net";
import { AppError, type Reason } from "../domain/errors.ts";
import { clientAddress } from "../lib/ip-address.ts";
import { readBody } from "./read-body.ts";
import type { Reply } from "./reply.ts";

/** Node's request, of either HTTP version. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;
/** Node's response, of either HTTP version. */
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** What a request's log line says beside the facts of HTTP. Declared fields only: nothing a caller typed. */
export interface Outcome {
  protocol: "grpc" | "grpc-web" | "connect" | "rest" | "http";
  rpc: string | null;
  reason: Reason | null;
  error: unknown;
  userId: string | null;
}

/** What every exchange is limited by, and how it finds the caller's address. */
export interface ExchangeOptions {
  readonly bodyBytesMax: number;
  readonly bodyTimeoutMs: number;
  readonly trustedProxies: BlockList;
  /** Whether the listener is draining: HTTP/1.1 connections are then closed after the answer. */
  isDraining(): boolean;
}

const requestIdForm = /^[A-Za-z0-9_-]{1,64}$/;

/** One request and its answer, the same for HTTP/1.1 and HTTP/2. */
export class Exchange {
  readonly request: NodeRequest;
  readonly response: NodeResponse;
  readonly requestId: string;
  readonly method: string;
  /** The request's path as it was sent, without the query. */
  readonly path: string;
  /** Without the question mark; empty where there is none. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly clientAddress: string;
  readonly startedAt = performance.now();
  /** Whether the request is for an endpoint of RFC 6749, 7009 or 7662, whose errors have their own statuses. */
  isOauthEndpoint = false;
  readonly outcome: Outcome = { protocol: "http", rpc: null, reason: null, error: undefined, userId: null };
  readonly #options: ExchangeOptions;
  readonly #gone = new AbortController();

  constructor(request: NodeRequest, response: NodeResponse, options: ExchangeOptions) {
    this.request = request;
    this.response = response;
    this.#options = options;
    this.headers = request.headers;
    this.method = request.method ?? "";
    const target = pathOf(request.url ?? "");
    const mark = target.indexOf("?");
    this.path = mark === -1 ? target : target.slice(0, mark);
    this.query = mark === -1 ? "" : target.slice(mark + 1);
    const given = this.header("x-request-id");
    this.requestId = given !== undefined && requestIdForm.test(given) ? given : randomUUID();
    this.clientAddress = clientAddress(
      request.socket?.remoteAddress ?? "",
      this.header("x-forwarded-for"),
      options.trustedProxies,
    );
    let finished = false;
    response.once("finish", () => {
      finished = true;
    });
    response.once("close", () => {
      if (finished) return;
      this.outcome.reason ??= "cancelled";
      this.#gone.abort(new AppError("cancelled", "The caller has gone."));
    });
    // A broken connection shows as a close; without a listener it would end the process.
    request.on("error", ignore);
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

  /** Reads the body whole. @throws AppError payload_too_large, request_timeout, cancelled */
  readBody(): Promise<Uint8Array> {
    return readBody(this.request, this.#options.bodyBytesMax, this.#options.bodyTimeoutMs);
  }

  /** The header fields that every answer carries. */
  commonHeaders(): Record<string, string> {
    const headers: Record<string, string> = {
      "x-request-id": this.requestId,
      "x-content-type-options": "nosniff",
    };
    if (this.#options.isDraining() && this.request.httpVersionMajor === 1) headers["connection"] = "close";
    return headers;
  }

  /** Answers. Where the caller has gone, or an answer is under way already, nothing happens. */
  reply({ status, headers, body, trailers }: Reply): void {
    // Both HTTP versions' responses have these members with these meanings; their types do not meet.
    const response = this.response as ServerResponse;
    if (response.headersSent || response.destroyed || this.signal.aborted) return;
    const all: Record<string, string | number> = { ...this.commonHeaders(), ...headers };
    if (status !== 204) all["content-length"] = body?.byteLength ?? 0;
    // HTTP/1.1 sends trailers only with a chunked body (RFC 9112 section 7.1.2).
    if (trailers !== undefined) delete all["content-length"];
    // What is still to come of the request's body is read and dropped, for as long as the listener allows.
    this.request.resume();
    response.writeHead(status, all);
    if (trailers !== undefined) response.addTrailers(trailers);
    const bodyless = body === null || this.method === "HEAD";
    if (bodyless) response.end();
    else response.end(body);
  }
}

/** RFC 9112 section 3.2: servers take the absolute form too. Its authority says nothing new. */
function pathOf(target: string): string {
  const match = /^https?:\/\/[^/?#]*/i.exec(target);
  return match === null ? target : target.slice(match[0].length) || "/";
}

function ignore(): void {
  // The close event that follows says what there is to say.
}
