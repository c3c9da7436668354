import type { Exchange } from "./exchange.ts";

/** Writes a request's log line. */
export type LogRequest = (exchange: Exchange) => void;

/** What a request's line is written with (pino-compatible). */
export interface RequestLog {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/**
 * One line for each request, of declared fields: no path, query or header as the caller wrote it, so
 * that nothing secret can be among them. A failure of ours comes with its cause.
 */
export function createLogRequest(log: RequestLog): LogRequest {
  return (exchange) => {
    const { outcome, response } = exchange;
    const fields = {
      request_id: exchange.requestId,
      protocol: outcome.protocol,
      rpc: outcome.rpc,
      method: knownMethods.has(exchange.method) ? exchange.method : "other",
      status: outcome.reason === "cancelled" ? 499 : response.statusCode,
      reason: outcome.reason,
      duration_ms: Math.round((performance.now() - exchange.startedAt) * 10) / 10,
      http_version: exchange.request.httpVersion,
      client_address: exchange.clientAddress,
      user_id: outcome.userId,
    };
    if (outcome.reason === "internal" || outcome.reason === "unavailable") {
      log.error({ ...fields, err: outcome.error }, "request failed");
    } else {
      log.info(fields, "request");
    }
  };
}

const knownMethods: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
]);
