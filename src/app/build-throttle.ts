import type { Config } from "../config/config.ts";
import type { Events } from "../domain/events.ts";
import type { SecretKeys } from "../domain/key/secret-keys.ts";
import { completePolicies, type Policies } from "../domain/throttle/policies.ts";
import { createRedisBuckets } from "../domain/throttle/redis-buckets.ts";
import { createThrottle, type Throttle } from "../domain/throttle/throttle.ts";
import type { RedisClient } from "../redis/redis.ts";
import type { Commons } from "./commons.ts";

/** The limits. */
export interface ThrottleParts {
  readonly policies: Policies;
  readonly throttle: Throttle;
}

/** Builds the limits: counted in Redis, or in the instance's memory if there is no Redis or it has gone. */
export function buildThrottle(
  config: Config,
  parts: {
    readonly secretKeys: SecretKeys;
    readonly redis: RedisClient | null;
    readonly commons: Pick<Commons, "buckets" | "instances">;
    readonly events: Events;
  },
): ThrottleParts {
  const { redis, commons, events } = parts;
  const policies = completePolicies(config.throttles, config.deviceTokenTtlMs);
  const throttle = createThrottle({
    policies,
    hmacKey: parts.secretKeys.current.derive("throttle"),
    shared: redis === null ? null : createRedisBuckets(redis),
    own: commons.buckets,
    instances: () => commons.instances(),
    events,
  });
  return { policies, throttle };
}
