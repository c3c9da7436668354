import type { Config } from "../config/config.ts";
import type { Events } from "../domain/events.ts";
import { createInstances, type Instances } from "../domain/instance/instances.ts";
import { createInstanceStore } from "../domain/instance/instance-store.ts";
import type { SecretKeys } from "../domain/key/secret-keys.ts";
import { createMemoryBuckets, type MemoryBuckets } from "../domain/throttle/memory-buckets.ts";
import { completePolicies, type Policies } from "../domain/throttle/policies.ts";
import { createRedisBuckets } from "../domain/throttle/redis-buckets.ts";
import { createThrottle, type Throttle } from "../domain/throttle/throttle.ts";
import type { Database } from "../postgres/pool.ts";
import type { RedisClient } from "../redis/redis.ts";

/** The limits, and the instances that share them. */
export interface ThrottleParts {
  readonly policies: Policies;
  readonly throttle: Throttle;
  readonly instances: Instances;
  readonly memoryBuckets: MemoryBuckets;
}

/** About 30 MB where all are in use. */
const memoryBucketsMax = 100_000;

/** Builds the limits: counted in Redis, or in memory if there is no Redis or it has gone. */
export function buildThrottle(
  config: Config,
  parts: {
    readonly db: Database;
    readonly secretKeys: SecretKeys;
    readonly redis: RedisClient | null;
    readonly events: Events;
  },
): ThrottleParts {
  const { redis, events } = parts;
  const instances = createInstances({ store: createInstanceStore(parts.db), events });
  const memoryBuckets = createMemoryBuckets({
    bucketsMax: memoryBucketsMax,
    onForgotten: () => events.emit("limits.bucket_forgotten", null),
  });
  const policies = completePolicies(config.throttles, config.deviceTokenTtlMs);
  const throttle = createThrottle({
    policies,
    hmacKey: parts.secretKeys.current.derive("throttle"),
    shared: redis === null ? null : createRedisBuckets(redis),
    own: memoryBuckets,
    instances: () => instances.count,
    events,
  });
  return { policies, throttle, instances, memoryBuckets };
}
