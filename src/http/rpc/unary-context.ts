import { ConnectError, Code, type HandlerContext } from "@connectrpc/connect";

/** What a context is opened with: see HandlerContext. */
export interface UnaryContextInit
  extends Pick<
    HandlerContext,
    "service" | "method" | "protocolName" | "requestMethod" | "url" | "requestHeader" | "values"
  > {
  /** Aborted when the caller goes. */
  readonly requestSignal: AbortSignal;
  readonly timeoutMs: number;
}

/** The context of a unary call, until the call is over. */
export interface UnaryContext extends HandlerContext {
  /** Called when the call is over: its deadline and its caller's going mean nothing to it any more. */
  close(): void;
}

/**
 * Opens the context of a unary call. Connect's own would copy the header fields once more, link three
 * AbortControllers to make one, and abort it at the end of each call, which costs a refusal a tenth of its time.
 */
export function openUnaryContext({ requestSignal, timeoutMs, ...init }: UnaryContextInit): UnaryContext {
  const controller = new AbortController();
  const onGone = (): void => controller.abort(requestSignal.reason);
  const onLate = (): void =>
    controller.abort(new ConnectError("the operation timed out", Code.DeadlineExceeded));
  const expiresAt = performance.now() + timeoutMs;
  const timer = setTimeout(onLate, timeoutMs);
  if (requestSignal.aborted) onGone();
  else if (timeoutMs <= 0) onLate();
  else requestSignal.addEventListener("abort", onGone, { once: true });
  return {
    ...init,
    signal: controller.signal,
    timeoutMs: () => expiresAt - performance.now(),
    responseHeader: new Headers(),
    responseTrailer: new Headers(),
    close() {
      clearTimeout(timer);
      requestSignal.removeEventListener("abort", onGone);
    },
  };
}
