import { AppError } from "../../errors/app-error.ts";
import { isOurs } from "../../errors/reasons.ts";
import type { Log } from "../../ops/logger.ts";
import type { RequestMetrics } from "../../ops/metrics/request-metrics.ts";
import { isProbe } from "../../ops/probes.ts";
import { briefError } from "../../ops/serialize-error.ts";
import type { Exchange } from "./exchange.ts";

const placesMax = 6;

/** Records a request that is over: its log line, its metrics, the end of its span. */
export type RecordRequest = (exchange: Exchange) => void;

/**
 * One line for each request, of declared fields: no path, query or header as the caller wrote it, so
 * that nothing secret can be among them. A failure of the service comes with its cause. Probes are called about once a
 * second: they are logged at the level debug, and each change of readiness has its own line.
 */
export function createRecordRequest(
  log: Pick<Log, "facts" | "error" | "debug" | "isLevelEnabled">,
  metrics: Pick<RequestMetrics, "countOther">,
): RecordRequest {
  return (exchange) => {
    const { outcome, trace } = exchange;
    const durationMs = performance.now() - exchange.startedAt;
    const status = outcome.reason === "cancelled" ? 499 : exchange.wire.status;
    if (exchange.rpcMeasurement === null) metrics.countOther(outcome.reason);
    else exchange.rpcMeasurement.end(outcome.reason, durationMs / 1000);
    trace.end(status, outcome.reason);
    const isRoutine = outcome.reason === null && isAskedAllTheTime(exchange);
    if (isRoutine && !log.isLevelEnabled("debug")) return;
    const fields = {
      request_id: exchange.requestId,
      trace_id: trace.traceId,
      span_id: trace.spanId,
      protocol: outcome.protocol,
      rpc: outcome.rpc,
      method: exchange.knownMethod,
      status,
      reason: outcome.reason,
      // Of several causes of a reason, which: fixed words, as the caller has them.
      detail: outcome.error instanceof AppError ? outcome.error.message : null,
      duration_ms: Math.round(durationMs * 10) / 10,
      http_version: exchange.wire.httpVersion,
      client_address: exchange.clientAddress,
      user_id: outcome.userId,
    };
    if (outcome.reason !== null && isOurs(outcome.reason)) {
      // A store that is away fails every call: that it is, and how, says it all.
      const framesMax = outcome.reason === "internal" ? placesMax : 0;
      log.error({ ...fields, err: briefError(outcome.error, framesMax) }, "request failed");
    } else if (isRoutine) {
      log.debug(fields, "request");
    } else {
      log.facts(fields, "request");
    }
  };
}

function isAskedAllTheTime({ path, outcome }: Exchange): boolean {
  return isProbe(path) || outcome.rpc === "grpc.health.v1.Health/Check";
}
