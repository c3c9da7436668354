import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { constants } from "node:http2";
import { AppError } from "../../errors/app-error.ts";
import type { Exchange } from "../exchange/exchange.ts";

/** An answer whose body is sent piece by piece, as fast as the caller takes it. */
export interface StreamReply {
  /** Sends the head, once. */
  start(status: number, headers: Readonly<Record<string, string>>): void;
  /**
   * Sends a piece, and resolves when there is room for the next one.
   *
   * @throws AppError cancelled when the caller has gone, or does not take the answer in time
   */
  write(bytes: Uint8Array): Promise<void>;
  /** The answer is complete. @param trailers sent behind it (gRPC's status) */
  end(trailers?: Readonly<Record<string, string>>): void;
  /** Breaks the answer off, so that the caller can distinguish it from a normal end. */
  cut(): void;
}

/** @param timeoutMs how long the caller may take to make room for more */
export function createStreamReply(exchange: Exchange, timeoutMs: number): StreamReply {
  // Both HTTP versions' responses have these members with these meanings; their types do not meet.
  const response = exchange.response as ServerResponse;
  const cut = (): void => {
    if ("stream" in exchange.response) exchange.response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    else exchange.response.socket?.destroy();
  };
  return {
    start(status, headers) {
      if (response.headersSent || response.destroyed || exchange.signal.aborted) return;
      // The rest of the request's body is read and dropped.
      exchange.request.resume();
      response.writeHead(status, { ...exchange.commonHeaders(), ...headers });
      response.flushHeaders();
    },
    async write(bytes) {
      if (exchange.signal.aborted) throw exchange.signal.reason;
      if (bytes.byteLength === 0 || response.write(bytes)) return;
      const late = AbortSignal.timeout(timeoutMs);
      try {
        await once(response, "drain", { signal: AbortSignal.any([exchange.signal, late]) });
      } catch {
        cut();
        throw new AppError("cancelled", "The caller does not take its answer.");
      }
    },
    end(trailers) {
      if (trailers !== undefined && !response.destroyed) response.addTrailers(trailers);
      response.end();
      exchange.end();
    },
    cut,
  };
}
