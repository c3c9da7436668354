import type { DescMessage, Message } from "@bufbuild/protobuf";
import {
  createContextValues,
  createHandlerContext,
  type ContextValues,
  type MethodImplSpec,
} from "@connectrpc/connect";
import {
  createAsyncIterable,
  invokeUnaryImplementation,
  transformInvokeImplementation,
} from "@connectrpc/connect/protocol";
import { AppError } from "../../errors/app-error.ts";
import { runCall } from "../../lib/work.ts";
import { callContextKey } from "../../api/call-context.ts";
import type { RpcTable } from "../../api/router.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { openUnaryContext } from "./unary-context.ts";

/** A unary RPC of the table. */
export type UnarySpec = Extract<MethodImplSpec, { kind: "unary" }>;

/** An RPC of the table that answers one message with a stream. */
export type ServerStreamingSpec = Extract<MethodImplSpec, { kind: "server_streaming" }>;

/** The answer of a unary call, before a protocol frames it. */
export interface CallResult {
  readonly message: Message;
  readonly header: Headers;
  readonly trailer: Headers;
}

/** Runs a unary RPC through the interceptors: the one way in, for every protocol. */
export type CallUnary = (
  exchange: Exchange,
  spec: UnarySpec,
  input: Message,
  caller: { readonly protocol: string; readonly timeoutMs: number | undefined },
) => Promise<CallResult>;

/**
 * @param requestTimeoutMs the deadline of a call that names none, and the longest that one can name
 */
export function createCallUnary(table: RpcTable, requestTimeoutMs: number): CallUnary {
  return async (exchange, spec, input, { protocol, timeoutMs }) => {
    const context = openUnaryContext({
      ...contextOf(exchange, spec, protocol),
      values: callContextValues(exchange),
      timeoutMs: Math.min(timeoutMs ?? requestTimeoutMs, requestTimeoutMs),
    });
    try {
      const message = await runCall(() =>
        invokeUnaryImplementation(spec, context, input, [...table.interceptors]),
      );
      return { message, header: context.responseHeader, trailer: context.responseTrailer };
    } finally {
      context.close();
    }
  };
}

/** A call that answers with a stream. Nothing runs before the first message is asked for. */
export interface StreamCall {
  readonly messages: AsyncIterable<Message>;
  /** The answer's header fields: complete when the first message has come. */
  readonly header: Headers;
  /** Signals to the RPC that nobody listens any more. */
  end(): void;
}

/**
 * Runs a streaming RPC through the interceptors, for REST. It has no deadline: it lives as long as its caller wants,
 * and the signal allows.
 */
export type CallStream = (
  exchange: Exchange,
  spec: ServerStreamingSpec,
  input: Message,
  signal: AbortSignal,
) => StreamCall;

/** @param shutdownSignal aborted when the server is about to end */
export function createCallStream(table: RpcTable, shutdownSignal: AbortSignal): CallStream {
  return (exchange, spec, input, signal) => {
    const context = createHandlerContext({
      ...contextOf(exchange, spec, "rest"),
      requestSignal: signal,
      contextValues: callContextValues(exchange),
      shutdownSignal,
    });
    const invoke = transformInvokeImplementation<DescMessage, DescMessage>(spec, context, [
      ...table.interceptors,
    ]);
    return {
      messages: invoke(createAsyncIterable([input])),
      header: context.responseHeader,
      end: () => context.abort(callIsOver),
    };
  };
}

function contextOf(exchange: Exchange, spec: UnarySpec | ServerStreamingSpec, protocol: string) {
  return {
    service: spec.method.parent,
    method: spec.method,
    protocolName: protocol,
    requestMethod: exchange.method,
    url: placeholderUrl(exchange),
    requestHeader: requestHeaders(exchange),
    requestSignal: exchange.signal,
  };
}

// One shared error: no caller sees it, and making an error's stack costs more than most calls.
const callIsOver = new AppError("cancelled", "The call is over.");

/** What the interceptors and RPCs may know of the exchange. */
export function callContextValues(exchange: Exchange): ContextValues {
  return createContextValues().set(callContextKey, {
    requestId: exchange.requestId,
    clientAddress: exchange.clientAddress,
    recordUser(userId) {
      exchange.outcome.userId = userId;
    },
    recordFailure(error) {
      exchange.outcome.reason = error.reason;
      exchange.outcome.error = error;
    },
    setCookies(lines) {
      exchange.cookies.push(...lines);
    },
    addHeaders(fields) {
      Object.assign(exchange.addedHeaders, fields);
    },
    writeNull(name) {
      exchange.nulls.push(name);
    },
  });
}

/** The request's header fields as Connect takes them. Node has checked their characters. */
export function requestHeaders(exchange: Exchange): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(exchange.headers)) {
    if (value === undefined || name.startsWith(":")) continue;
    for (const line of Array.isArray(value) ? value : [value]) headers.append(name, line);
  }
  return headers;
}

/** Connect requires an absolute URL. The host that the caller sent has no influence. */
export function placeholderUrl(exchange: Exchange): string {
  return `http://localhost${exchange.path}`;
}
