import type { Registry } from "prom-client";
import type { Config } from "../config/config.ts";
import type { SecretKeys } from "../domain/key/secret-keys.ts";
import { createInstances, type Instances } from "../domain/instance/instances.ts";
import { createInstanceStore } from "../domain/instance/instance-store.ts";
import { createMemoryBuckets } from "../domain/throttle/memory-buckets.ts";
import { completePolicies, type Policies } from "../domain/throttle/policies.ts";
import { createRedisBuckets } from "../domain/throttle/redis-buckets.ts";
import { createThrottle, type Throttle } from "../domain/throttle/throttle.ts";
import type { Log } from "../ops/logger.ts";
import { createThrottleMetrics } from "../ops/metrics/throttle-metrics.ts";
import type { Database } from "../postgres/pool.ts";
import type { RedisClient } from "../redis/redis.ts";

/** The limits, and the instances that share them. */
export interface ThrottleParts {
  readonly throttle: Throttle;
  readonly instances: Instances;
}

/** About 30 MB where all are in use. */
const memoryBucketsMax = 100_000;

/** Builds the limits: counted in Redis where there is one, and in memory where there is none or it has gone. */
export function buildThrottle(
  config: Config,
  log: Log,
  registry: Registry,
  db: Database,
  secretKeys: SecretKeys,
  redis: RedisClient | null,
): ThrottleParts {
  const policies = completePolicies(config.throttles, config.deviceTokenTtlMs);
  warnOfOff(policies, log);
  const instances = createInstances({
    store: createInstanceStore(db),
    onChange(count) {
      if (redis === null && count > 1) log.warn({ instances: count }, apart);
      else log.info({ instances: count }, "the number of instances has changed");
    },
  });
  const own = createMemoryBuckets({
    bucketsMax: memoryBucketsMax,
    onForgotten: () => metrics.onForgotten(),
  });
  const metrics = createThrottleMetrics(registry, {
    bucketCount: () => own.size,
    instanceCount: () => instances.count,
  });
  metrics.onOwnCounting(redis === null);
  const throttle = createThrottle({
    policies,
    hmacKey: secretKeys.current.derive("throttle"),
    shared: redis === null ? null : createRedisBuckets(redis),
    own,
    instances: () => instances.count,
    observer: {
      onDecision: (policy, allowed) => metrics.onDecision(policy, allowed),
      onStoreAway(error) {
        metrics.onOwnCounting(true);
        log.warn({ err: error, instances: instances.count }, "Redis is away: limits are counted in memory");
      },
      onStoreBack() {
        metrics.onOwnCounting(false);
        log.info({}, "Redis is back: limits are counted there again");
      },
    },
  });
  return { throttle, instances };
}

const apart =
  "several instances run without a shared store for the limits: each counts by itself and allows its share of every limit. Set REDIS_URL or THROTTLE_REDIS_URL";

function warnOfOff(policies: Policies, log: Log): void {
  const off = Object.entries(policies)
    .filter(([, rate]) => rate === null)
    .map(([name]) => name);
  if (off.length > 0) log.warn({ limits: off }, "limits are switched off");
}
