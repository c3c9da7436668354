import type { Readable } from "node:stream";
import { AppError } from "../../errors/app-error.ts";
import type { Deadlines } from "../../lib/deadlines.ts";

/** How a body is read. */
export interface BodyLimits {
  readonly bytesMax: number;
  /** How long it may take to arrive. */
  readonly arrivals: Deadlines;
}

/** A body that is being read. */
export interface BodyReading {
  readonly bytes: Promise<Uint8Array>;
  /** No more of it will come. */
  fail(error: AppError): void;
}

/**
 * Reads a request's body whole, within bounds. It fails with payload_too_large as soon as that is known, with
 * request_timeout, or with what the reading is failed with.
 */
export function readBody(body: Readable, { bytesMax, arrivals }: BodyLimits): BodyReading {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const chunks: Uint8Array[] = [];
  let size = 0;
  const fail = (error: AppError): void => {
    deadline.stop();
    reject(error);
    chunks.length = 0;
    size = Number.POSITIVE_INFINITY;
  };
  const deadline = arrivals.start(() =>
    fail(new AppError("request_timeout", "The body did not arrive in time.")),
  );
  body.on("data", (chunk: Uint8Array) => {
    size += chunk.byteLength;
    if (size <= bytesMax) chunks.push(chunk);
    else fail(bodyTooLarge(bytesMax));
  });
  body.on("end", () => {
    deadline.stop();
    const [only] = chunks;
    resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks));
  });
  return { bytes: promise, fail };
}

/** The refusal of a body that is too large. */
export function bodyTooLarge(bytesMax: number): AppError {
  return new AppError("payload_too_large", `The body is larger than ${bytesMax} bytes.`);
}
