import { AppError } from "../domain/errors.ts";
import type { NodeRequest } from "./exchange.ts";

/**
 * Reads a request's body whole, within bounds.
 *
 * @throws AppError payload_too_large as soon as that is known, request_timeout, cancelled
 */
export function readBody(request: NodeRequest, bytesMax: number, timeoutMs: number): Promise<Uint8Array> {
  const tooLarge = (): AppError =>
    new AppError("payload_too_large", `The body is larger than ${bytesMax} bytes.`);
  if (Number(request.headers["content-length"] ?? 0) > bytesMax) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    const settle = (): void => {
      clearTimeout(timer);
      request.off("data", onData).off("end", onEnd).off("close", onClose);
    };
    const fail = (error: AppError): void => {
      settle();
      reject(error);
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
    const onClose = (): void => fail(new AppError("cancelled", "The caller has gone."));
    const timer = setTimeout(
      () => fail(new AppError("request_timeout", "The body did not arrive in time.")),
      timeoutMs,
    );
    request.on("data", onData).on("end", onEnd).on("close", onClose);
  });
}
