import type { Interceptor } from "@connectrpc/connect";

/**
 * Ends a unary call when its deadline passes or its caller goes, even where the code below does not
 * listen to the signal. Streams live as long as their caller wants.
 */
export const deadline: Interceptor = (next) => async (request) => {
  if (request.stream) return next(request);
  const { signal } = request;
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([next(request), promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
};
