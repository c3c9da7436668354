import { Gauge, type Registry } from "prom-client";
import type { RedisObserver } from "../../redis/observer.ts";
import { createHotHistogram } from "./hot.ts";

/** What Redis is used for. */
export type RedisUse = "sessions" | "throttles";

/** Registers the metrics of Redis. */
export function createRedisMetrics(registry: Registry): (use: RedisUse) => RedisObserver {
  const calls = createHotHistogram({
    name: "countersign_redis_call_duration_seconds",
    help: "How long scripts on Redis took, failed ones included.",
    labelNames: ["use", "outcome"] as const,
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
    registry,
  });
  const breaker = new Gauge({
    name: "countersign_redis_breaker_open",
    help: "1 while a Redis server gets no calls because it did not answer. The label node is empty except in a cluster.",
    aggregator: "max",
    labelNames: ["use", "node"] as const,
    registers: [registry],
  });
  return (use) => {
    const [succeeded, failed] = [
      calls.series({ use, outcome: "ok" }),
      calls.series({ use, outcome: "failed" }),
    ];
    return {
      onBreaker: (node, closed) => breaker.set({ use, node }, closed ? 0 : 1),
      onCall: (seconds, success) => (success ? succeeded : failed).observe(seconds),
    };
  };
}
