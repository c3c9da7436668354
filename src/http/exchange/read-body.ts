import { AppError } from "../../errors/app-error.ts";
import type { NodeRequest } from "../connection/node-http.ts";

/** How a body is read. */
export interface BodyLimits {
  readonly bytesMax: number;
  /** How long it may take to arrive. */
  readonly timeoutMs: number;
}

/**
 * Reads a request's body whole, within bounds.
 *
 * @param begin called when the body is wanted, and not where its announced length is too much already
 * @throws AppError payload_too_large as soon as that is known, request_timeout, malformed_request, cancelled
 */
export function readBody(request: NodeRequest, limits: BodyLimits, begin: () => void): Promise<Uint8Array> {
  const { bytesMax, timeoutMs } = limits;
  const tooLarge = (): AppError =>
    new AppError("payload_too_large", `The body is larger than ${bytesMax} bytes.`);
  if (Number(request.headers["content-length"] ?? 0) > bytesMax) return Promise.reject(tooLarge());
  begin();
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    const settle = (): void => {
      clearTimeout(timer);
      request.off("data", onData).off("end", onEnd).off("error", fail).off("close", onClose);
    };
    const fail = (error: Error): void => {
      settle();
      // A broken connection says so in Node's words; what the parser found wrong comes as an AppError.
      reject(error instanceof AppError ? error : gone());
    };
    const onData = (chunk: Uint8Array): void => {
      size += chunk.byteLength;
      if (size > bytesMax) fail(tooLarge());
      else chunks.push(chunk);
    };
    const onEnd = (): void => {
      settle();
      const [only] = chunks;
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size));
    };
    const onClose = (): void => fail(gone());
    const timer = setTimeout(
      () => fail(new AppError("request_timeout", "The body did not arrive in time.")),
      timeoutMs,
    );
    request.on("data", onData).on("end", onEnd).on("error", fail).on("close", onClose);
  });
}

function gone(): AppError {
  return new AppError("cancelled", "The caller has gone.");
}
