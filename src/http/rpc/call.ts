import type { Message } from "@bufbuild/protobuf";
import { AppError } from "../../errors/app-error.ts";
import { createDeadlines, createOwnDeadline } from "../../lib/deadlines.ts";
import { runCall } from "../../lib/work.ts";
import { Call } from "../../api/call.ts";
import type { ClientStreamRpc, ServerStreamRpc, UnaryRpc } from "../../api/router.ts";
import type { Exchange } from "../exchange/exchange.ts";

/**
 * Opens a unary call, by any protocol.
 *
 * @param timeoutMs the caller's own deadline; undefined for none
 */
export type OpenCall = (exchange: Exchange, timeoutMs: number | undefined) => Call;

/**
 * @param requestTimeoutMs the deadline of a call that names none, and the longest that one can name
 */
export function createOpenCall(requestTimeoutMs: number): OpenCall {
  const usual = createDeadlines(requestTimeoutMs);
  return (exchange, timeoutMs = requestTimeoutMs) =>
    new Call(exchange, timeoutMs < requestTimeoutMs ? createOwnDeadline(timeoutMs) : usual);
}

/**
 * Runs a unary RPC: the one way in, for every protocol.
 *
 * @throws AppError deadline_exceeded; whatever the RPC fails of
 */
export function runUnary(rpc: UnaryRpc, call: Call, input: Message): Promise<Message> {
  return call.within(() => runCall(() => rpc.run(call, input)));
}

/** A call that answers with a stream. Nothing runs before the first message is asked for. */
export interface StreamCall {
  readonly messages: AsyncIterable<Message>;
  /** The answer's header fields: complete when the first message has come. */
  readonly headers: Readonly<Record<string, string>>;
  /** Signals to the RPC that nobody listens any more. */
  end(): void;
}

/**
 * Runs an RPC that takes a stream and answers one message, for REST. It lives as long as the signal allows.
 */
export type CallClientStream = (
  exchange: Exchange,
  rpc: ClientStreamRpc,
  messages: AsyncIterable<Message>,
  signal: AbortSignal,
) => Promise<{ readonly message: Message; readonly headers: Readonly<Record<string, string>> }>;

/** The calls of streams, for REST. @param shutdownSignal aborted when the server is about to end */
export function createStreamCalls(shutdownSignal: AbortSignal): {
  readonly stream: CallStream;
  readonly upload: CallClientStream;
} {
  return { stream: createCallStream(shutdownSignal), upload: createCallClientStream(shutdownSignal) };
}

function createCallClientStream(shutdownSignal: AbortSignal): CallClientStream {
  return async (exchange, rpc, messages, signal) => {
    const call = new Call(exchange, null, AbortSignal.any([signal, shutdownSignal]));
    return { message: await rpc.run(call, messages), headers: call.answerHeaders };
  };
}

/**
 * Runs a streaming RPC, for REST. It has no deadline: it lives as long as its caller wants, and the signal allows.
 */
export type CallStream = (
  exchange: Exchange,
  rpc: ServerStreamRpc,
  input: Message,
  signal: AbortSignal,
) => StreamCall;

function createCallStream(shutdownSignal: AbortSignal): CallStream {
  return (exchange, rpc, input, signal) => {
    const over = new AbortController();
    for (const end of [signal, shutdownSignal]) {
      const onEnd = (): void => over.abort(end.reason);
      if (end.aborted) onEnd();
      else end.addEventListener("abort", onEnd, { once: true, signal: over.signal });
    }
    const call = new Call(exchange, null, over.signal);
    return {
      messages: rpc.run(call, input),
      headers: call.answerHeaders,
      end: () => over.abort(callIsOver),
    };
  };
}

// One shared error: no caller sees it, and making an error's stack costs more than most calls.
const callIsOver = new AppError("cancelled", "The call is over.");
