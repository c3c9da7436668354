import type { AppError } from "../../errors/app-error.ts";
import { unlessAborted } from "../../lib/unless-aborted.ts";
import type { ProblemDetail } from "../../transcoding/problem.ts";
import type { StreamWriter } from "../../transcoding/stream-writer.ts";
import type { RestStream } from "../../transcoding/transcoder.ts";
import { toAppError } from "../../api/failure.ts";
import type { StreamCall } from "../rpc/call.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { createStreamReply, type StreamReply } from "../rpc/stream-reply.ts";

/**
 * How long a stream may be silent before its head is sent without a first message, so that the caller
 * learns that it has begun. What fails earlier is answered with its own status.
 */
const silenceMs = 1_000;

/** What a stream is answered with, beside the call itself. */
export interface StreamAnswerOptions {
  /** How long the caller may take to make room for more. */
  readonly writeTimeoutMs: number;
  /** The failure of a stream that has begun, as its body shows it. */
  readonly problemOf: (error: AppError) => ProblemDetail;
}

/**
 * Answers REST with the messages of a streaming call, each as it comes. The next one is asked for when the
 * caller has made room for it; a caller who goes ends the call.
 *
 * @throws whatever the call fails of before its answer has begun
 */
export async function answerStream(
  exchange: Exchange,
  call: StreamCall,
  { status, writer }: RestStream,
  options: StreamAnswerOptions,
): Promise<void> {
  const reply = createStreamReply(exchange, options.writeTimeoutMs);
  const isHead = exchange.method === "HEAD";
  const messages = call.messages[Symbol.asyncIterator]();
  const headOnly = new AbortController();
  const over = AbortSignal.any([exchange.signal, headOnly.signal]);
  let begun = false;
  const begin = (): void => {
    const contentType = writer.contentType();
    if (begun || contentType === null) return;
    begun = true;
    reply.start(status, streamHeaders(call.headers, contentType));
    if (isHead) headOnly.abort();
  };
  const silent = setTimeout(begin, silenceMs);
  try {
    while (!headOnly.signal.aborted) {
      const next = await unlessAborted(messages.next(), over);
      const bytes = next.done === true ? writer.end() : writer.message(next.value);
      begin();
      if (!isHead) await reply.write(bytes);
      if (next.done === true) break;
    }
    reply.end();
  } catch (error) {
    if (headOnly.signal.aborted) reply.end();
    else if (begun) await tellFailure(exchange, reply, writer, options.problemOf, toAppError(error));
    else throw error;
  } finally {
    clearTimeout(silent);
    call.end();
    // An RPC that waits for something of its own hears of the end by its signal, and is not waited for.
    messages.return?.().catch(() => undefined);
  }
}

function streamHeaders(headers: StreamCall["headers"], contentType: string): Record<string, string> {
  return {
    "cache-control": "no-store",
    // Asks nginx and those like it to pass each message on as it comes.
    "x-accel-buffering": "no",
    ...headers,
    "content-type": contentType,
  };
}

/** The head has said that all is well: the body has to say that it is not. */
async function tellFailure(
  exchange: Exchange,
  reply: StreamReply,
  writer: StreamWriter,
  problemOf: (error: AppError) => ProblemDetail,
  error: AppError,
): Promise<void> {
  exchange.outcome.reason = error.reason;
  exchange.outcome.error = error;
  if (exchange.signal.aborted) return;
  const bytes = writer.problem(problemOf(error));
  if (bytes === null) {
    reply.cut();
    return;
  }
  try {
    await reply.write(bytes);
    await reply.write(writer.end());
    reply.end();
  } catch {
    // The caller has gone meanwhile; the failure is logged all the same.
  }
}
