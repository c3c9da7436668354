import type { Message } from "@bufbuild/protobuf";
import {
  type ConnectError,
  type ContextKey,
  createContextKey,
  createContextValues,
  createMethodImplSpec,
  type HandlerContext,
  type Interceptor,
  type MethodImplSpec,
} from "@connectrpc/connect";
import {
  createAsyncIterable,
  createUniversalMethodHandler,
  type UniversalHandler,
  type UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import { createHandlerFactory as createConnectFactory } from "@connectrpc/connect/protocol-connect";
import { createHandlerFactory as createGrpcFactory } from "@connectrpc/connect/protocol-grpc";
import { createHandlerFactory as createGrpcWebFactory } from "@connectrpc/connect/protocol-grpc-web";
import { AppError } from "../../errors/app-error.ts";
import { Call } from "../../api/call.ts";
import { toAppError, toConnectError } from "../../api/failure.ts";
import type { Rpc, RpcTable, UnaryRpc } from "../../api/router.ts";
import type { Fields } from "../connection/wire.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { messageBytesMax } from "../connection/limits.ts";
import { headersToObject } from "../exchange/reply.ts";
import type { LeaseStream } from "../peers/stream-lease.ts";
import { encodeGrpcMessage } from "./protocols/grpc-unary.ts";
import { createStreamReply, type StreamReply } from "./stream-reply.ts";

type StreamRpc = Exclude<Rpc, UnaryRpc>;

/** Answers the streaming RPCs of the table, in every protocol. */
export interface StreamHandlers {
  handle(exchange: Exchange, rpc: StreamRpc): Promise<void>;
}

/** What bounds streams. */
export interface StreamOptions {
  readonly lease: LeaseStream;
  /** How long the caller may take to make room for more. */
  readonly writeTimeoutMs: number;
}

/**
 * The library frames streams; unary calls, which are the hot path and whose every failure must carry
 * its reason, are framed by ourselves (see protocols/).
 */
export function createStreamHandlers(
  table: RpcTable,
  shutdownSignal: AbortSignal,
  { lease, writeTimeoutMs }: StreamOptions,
): StreamHandlers {
  const options = {
    interceptors: [explainFailures],
    readMaxBytes: messageBytesMax,
    shutdownSignal,
  };
  const factories = [
    createGrpcFactory(options),
    createGrpcWebFactory(options),
    createConnectFactory(options),
  ];
  const handlers = new Map<StreamRpc, UniversalHandler>();
  for (const rpc of table.byPath.values()) {
    if (rpc.kind !== "unary") handlers.set(rpc, createUniversalMethodHandler(specOf(rpc), factories));
  }
  return {
    async handle(exchange, rpc) {
      const handler = handlers.get(rpc);
      if (handler === undefined) throw new Error(`${rpc.name} is not of the table`);
      const signal = lease(exchange);
      const body = await openBody(exchange, rpc);
      const response = await handler({
        httpVersion: exchange.wire.httpVersion,
        method: exchange.method,
        url: placeholderUrl(exchange),
        header: requestHeaders(exchange),
        body,
        signal,
        contextValues: createContextValues().set(exchangeKey, exchange),
      });
      await send(response, createStreamReply(exchange, writeTimeoutMs));
    },
  };
}

/** The RPC as the library calls it: by a handler of the library's kind. */
function specOf(rpc: StreamRpc): MethodImplSpec {
  if (rpc.kind === "server_streaming") {
    return createMethodImplSpec(rpc.method, (message, context) =>
      answer(context, (call) => rpc.run(call, message)),
    );
  }
  if (rpc.kind === "client_streaming") {
    return createMethodImplSpec(rpc.method, async (messages, context) => {
      const call = callOf(context);
      const message = await rpc.run(call, messages);
      addHeaders(call, context);
      return message;
    });
  }
  return createMethodImplSpec(rpc.method, (messages, context) =>
    answer(context, (call) => rpc.run(call, messages)),
  );
}

async function* answer(
  context: HandlerContext,
  run: (call: Call) => AsyncIterable<Message>,
): AsyncGenerator<Message> {
  const call = callOf(context);
  for await (const message of run(call)) {
    addHeaders(call, context);
    yield message;
  }
}

function callOf({ values, signal }: HandlerContext): Call {
  const exchange = values.get(exchangeKey);
  if (exchange === null) throw new Error("a stream was called without its exchange");
  return new Call(exchange, null, signal);
}

function addHeaders({ answerHeaders }: Call, { responseHeader }: HandlerContext): void {
  for (const [name, value] of Object.entries(answerHeaders)) responseHeader.set(name, value);
}

const exchangeKey: ContextKey<Exchange | null> = createContextKey<Exchange | null>(null, {
  description: "exchange",
});

/** Sends what the library has framed. The library's own function waits for an event that never comes, so streams would not end. */
async function send(
  { status, header, body, trailer }: UniversalServerResponse,
  reply: StreamReply,
): Promise<void> {
  const pieces = body?.[Symbol.asyncIterator]();
  try {
    let piece = await pieces?.next();
    // What the RPC adds to the header is known when its first message is.
    reply.start(status, headersToObject(new Headers(header)));
    for (; piece?.done === false; piece = await pieces?.next()) await reply.write(piece.value);
    reply.end(trailer === undefined ? undefined : readTrailer(trailer));
  } catch (error) {
    // The exchange's close says that the caller has gone.
    if (!(error instanceof AppError && error.reason === "cancelled")) throw error;
  } finally {
    pieces?.return?.().catch(() => undefined);
  }
}

/** The library encodes more of a message than grpc-js undoes. */
function readTrailer(trailer: Headers): Fields {
  const fields = headersToObject(trailer);
  const message = fields["grpc-message"];
  if (message === undefined) return fields;
  return { ...fields, "grpc-message": encodeGrpcMessage(decodeURIComponent(message)) };
}

/** A single message is read whole and within the limits of every body; a stream is read as it comes. */
async function openBody(exchange: Exchange, { kind }: StreamRpc): Promise<AsyncIterable<Uint8Array>> {
  if (kind === "server_streaming") return createAsyncIterable([await exchange.readBody()]);
  if (kind === "bidi_streaming" && exchange.wire.httpVersion !== "2.0") {
    throw new AppError("malformed_request", "The RPC streams both ways, which takes HTTP/2.");
  }
  return exchange.openBody();
}

/** Gives every failure of a stream its reason and details. */
const explainFailures: Interceptor = (next) => async (request) => {
  const authorization = request.header.get("authorization") ?? undefined;
  const explain = (error: unknown): ConnectError => {
    const known = toAppError(error);
    const outcome = request.contextValues.get(exchangeKey)?.outcome;
    if (outcome !== undefined) Object.assign(outcome, { reason: known.reason, error: known });
    return toConnectError(known, { authorization });
  };
  try {
    refuseCompression(request.header);
    const response = await next(
      request.stream ? { ...request, message: explainEach(request.message, toUnreadable) } : request,
    );
    return response.stream ? { ...response, message: explainEach(response.message, explain) } : response;
  } catch (error) {
    throw explain(error);
  }
};

/** The library supports no compression of streams here, and would report it like any unreadable message. */
function refuseCompression(header: Headers): void {
  const encoding = header.get("grpc-encoding") ?? header.get("connect-content-encoding") ?? "identity";
  if (encoding === "identity" || encoding === "") return;
  throw new AppError("unsupported_media_type", "The messages of a stream may not be compressed.", {
    acceptedCodings: ["identity"],
  });
}

/** Turns the library's errors about bytes that are no message into the caller's mistakes; it reports some as internal. */
function toUnreadable(error: unknown): AppError {
  const known = toAppError(error);
  return known.reason === "internal"
    ? new AppError("malformed_request", "The request message cannot be read.")
    : known;
}

async function* explainEach<T>(messages: AsyncIterable<T>, explain: (error: unknown) => Error) {
  try {
    yield* messages;
  } catch (error) {
    throw explain(error);
  }
}

/** The request's header fields as the library takes them. Node has checked their characters. */
function requestHeaders(exchange: Exchange): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(exchange.headers)) {
    if (value === undefined || name.startsWith(":")) continue;
    for (const line of Array.isArray(value) ? value : [value]) headers.append(name, line);
  }
  return headers;
}

/** The library requires an absolute URL. The host that the caller sent has no influence. */
function placeholderUrl(exchange: Exchange): string {
  return `http://localhost${exchange.path}`;
}
