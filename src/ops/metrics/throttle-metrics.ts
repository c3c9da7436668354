import { Counter, Gauge, type Registry } from "prom-client";
import type { HandlersOf } from "../../domain/events.ts";
import { failurePolicies, requestPolicies } from "../../domain/throttle/policies.ts";

/** What they count. */
export interface ThrottleMetrics
  extends HandlersOf<
    "limit.allowed" | "limit.refused" | "limits.store_lost" | "limits.store_back" | "limits.bucket_forgotten"
  > {
  /** Whether this process counts alone at its start. */
  readonly startOwn: (isOwn: boolean) => void;
}

/** @param read what is read when the metrics are */
export function createThrottleMetrics(
  registry: Registry,
  read: { bucketCount(): number; instanceCount(): number },
): ThrottleMetrics {
  const registers = [registry];
  const decisions = new Counter({
    name: "countersign_throttle_decisions_total",
    help: "Attempts that a limit has allowed or refused. Many refusals by failures_account mean that an account is under attack.",
    labelNames: ["policy", "outcome"],
    registers,
  });
  const own = new Gauge({
    name: "countersign_throttle_in_memory",
    help: "1 while this instance counts its share of the limits alone, since there is no shared store; 0 while Redis counts.",
    aggregator: "max",
    registers,
  });
  const forgotten = new Counter({
    name: "countersign_throttle_forgotten_buckets_total",
    help: "Buckets in memory that were dropped before they were empty, to make room. If it rises, the limits are looser than configured: somebody floods the service with new keys.",
    registers,
  });
  const bucketCount = new Gauge({
    name: "countersign_throttle_memory_buckets",
    help: "Buckets that this instance keeps in memory now.",
    registers: [],
    collect() {
      this.set(read.bucketCount());
    },
  });
  const instanceCount = new Gauge({
    name: "countersign_instances",
    help: "Instances that use the database, including this one, as last counted.",
    aggregator: "max",
    registers: [],
    collect() {
      this.set(read.instanceCount());
    },
  });
  registry.registerMetric(bucketCount);
  registry.registerMetric(instanceCount);
  const series = new Map(
    [...requestPolicies, ...failurePolicies].map((name) => {
      const policy = name.replaceAll("-", "_");
      const allowed = decisions.labels({ policy, outcome: "allowed" });
      const refused = decisions.labels({ policy, outcome: "refused" });
      allowed.inc(0);
      refused.inc(0);
      return [name, { allowed, refused }];
    }),
  );
  return {
    "limit.allowed": (policy) => series.get(policy)?.allowed.inc(),
    "limit.refused": (policy) => series.get(policy)?.refused.inc(),
    "limits.store_lost": () => own.set(1),
    "limits.store_back": () => own.set(0),
    "limits.bucket_forgotten": () => forgotten.inc(),
    startOwn: (isOwn) => own.set(isOwn ? 1 : 0),
  };
}
