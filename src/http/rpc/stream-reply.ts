import { once } from "node:events";
import { AppError } from "../../errors/app-error.ts";
import type { Fields } from "../connection/wire.ts";
import type { Exchange } from "../exchange/exchange.ts";

/** An answer whose body is sent piece by piece, as fast as the caller takes it. */
export interface StreamReply {
  /** Sends the head, once. */
  start(status: number, headers: Fields): void;
  /**
   * Sends a piece, and resolves when there is room for the next one.
   *
   * @throws AppError cancelled when the caller has gone, or does not take the answer in time
   */
  write(bytes: Uint8Array): Promise<void>;
  /** The answer is complete. @param trailers sent behind it (gRPC's status) */
  end(trailers?: Fields): void;
  /** Breaks the answer off, so that the caller can distinguish it from a normal end. */
  cut(): void;
}

/** @param timeoutMs how long the caller may take to make room for more */
export function createStreamReply(exchange: Exchange, timeoutMs: number): StreamReply {
  const { wire, signal } = exchange;
  return {
    start: (status, headers) => exchange.beginReply(status, headers),
    async write(bytes) {
      if (signal.aborted) throw signal.reason;
      if (bytes.byteLength === 0 || wire.output.write(bytes)) return;
      const late = AbortSignal.timeout(timeoutMs);
      try {
        await once(wire.output, "drain", { signal: AbortSignal.any([signal, late]) });
      } catch {
        wire.cut();
        throw new AppError("cancelled", "The caller does not take its answer.");
      }
    },
    end: (trailers) => wire.sendEnd(trailers),
    cut: () => wire.cut(),
  };
}
