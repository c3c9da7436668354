import type { Registry } from "prom-client";
import { type Reason, reasons } from "../../errors/reasons.ts";
import { memoize } from "../../lib/memoize.ts";
import { callBuckets } from "./buckets.ts";
import { createHotCounter, createHotGauge, createHotHistogram } from "./hot.ts";

/** How an RPC was called. */
export type RpcProtocol = "grpc" | "grpc-web" | "connect" | "rest";

/** A call under way. */
export interface RpcMeasurement {
  /** Counts the call, once. @param reason why it failed; null if it did not */
  end(reason: Reason | null, seconds: number): void;
}

/** Records the requests of the public port. */
export interface RequestMetrics {
  /** @param rpc its name in the table of RPCs: `package.Service/Method` */
  beginRpc(rpc: string, protocol: RpcProtocol, isStream: boolean): RpcMeasurement;
  /** Counts a request that reached no RPC. @param reason why it was refused; null if it was answered */
  countOther(reason: Reason | null): void;
}

type Outcome = "ok" | "refused" | "failed";

/** Registers the metrics of requests. */
export function createRequestMetrics(registry: Registry): RequestMetrics {
  const calls = createCallMetrics(registry);
  const other = createHotCounter({
    name: "countersign_nonrpc_requests_total",
    help: "Requests that reached no RPC, by reason. ok counts probes, pages and OPTIONS; not_found and similar reasons rise with scanners and broken clients.",
    labelNames: ["reason"] as const,
    registers: [registry],
  });
  const others = memoize((reason: Reason | "ok") => other.series({ reason }));
  const unary = memoize((rpc: string) => memoize((protocol: RpcProtocol) => unaryOf(calls, rpc, protocol)));
  const streams = memoize((rpc: string) =>
    memoize((protocol: RpcProtocol) => streamOf(calls, rpc, protocol)),
  );
  return {
    beginRpc: (rpc, protocol, isStream) => (isStream ? streams : unary)(rpc)(protocol)(),
    countOther(reason) {
      others(reason ?? "ok").value += 1;
    },
  };
}

function createCallMetrics(registry: Registry) {
  const labelNames = ["rpc", "protocol"] as const;
  const registers = [registry];
  return {
    requests: createHotCounter({
      name: "countersign_rpc_requests_total",
      help: "Calls that have ended, by RPC, protocol and reason (ok, or a reason of docs/errors.md).",
      labelNames: [...labelNames, "reason"] as const,
      registers,
    }),
    duration: createHotHistogram({
      name: "countersign_rpc_duration_seconds",
      help: "How long unary calls took, from the request's header to the end of the answer. Outcome: ok; refused (the caller's fault: 4xx); failed (the service's fault: 5xx).",
      labelNames: [...labelNames, "outcome"] as const,
      buckets: callBuckets,
      registry,
    }),
    inFlight: createHotGauge({
      name: "countersign_rpc_in_flight",
      help: "Unary calls that are running. It rises if a store or the hash queue is slow.",
      labelNames,
      registers,
    }),
    streams: createHotGauge({
      name: "countersign_rpc_streams",
      help: "Streams that are open: watchers of health, reflection, and the audit trail.",
      labelNames,
      registers,
    }),
  };
}

type CallMetrics = ReturnType<typeof createCallMetrics>;

// Their series begin at 0 with the first call, so that the first failure counts as an increase.
const failures = (Object.keys(reasons) as Reason[]).filter((reason) => outcomeOf(reason) === "failed");

function counterOf({ requests }: CallMetrics, rpc: string, protocol: RpcProtocol) {
  const counts = memoize((reason: Reason | "ok") => requests.series({ rpc, protocol, reason }));
  for (const reason of failures) counts(reason);
  return counts;
}

function unaryOf(metrics: CallMetrics, rpc: string, protocol: RpcProtocol): () => RpcMeasurement {
  const inFlight = metrics.inFlight.series({ rpc, protocol });
  const requests = counterOf(metrics, rpc, protocol);
  const durations = memoize((outcome: Outcome) => metrics.duration.series({ rpc, protocol, outcome }));
  const measurement: RpcMeasurement = {
    end(reason, seconds) {
      inFlight.value -= 1;
      requests(reason ?? "ok").value += 1;
      durations(outcomeOf(reason)).observe(seconds);
    },
  };
  return () => {
    inFlight.value += 1;
    return measurement;
  };
}

function streamOf(metrics: CallMetrics, rpc: string, protocol: RpcProtocol): () => RpcMeasurement {
  const open = metrics.streams.series({ rpc, protocol });
  const requests = counterOf(metrics, rpc, protocol);
  const measurement: RpcMeasurement = {
    end(reason) {
      open.value -= 1;
      requests(reason ?? "ok").value += 1;
    },
  };
  return () => {
    open.value += 1;
    return measurement;
  };
}

function outcomeOf(reason: Reason | null): Outcome {
  if (reason === null) return "ok";
  return reasons[reason].status >= 500 ? "failed" : "refused";
}
