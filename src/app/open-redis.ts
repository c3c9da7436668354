import type { Registry } from "prom-client";
import type { Config, RedisConfig } from "../config/config.ts";
import type { Log } from "../ops/logger.ts";
import { createRedisMetrics } from "../ops/metrics/redis-metrics.ts";
import type { RedisObserver } from "../redis/observer.ts";
import type { RedisClient } from "../redis/redis.ts";

/** The Redis of the sessions and that of the limits, which may be one; null where there is none. */
export interface RedisParts {
  readonly sessions: RedisClient | null;
  readonly throttles: RedisClient | null;
  close(): void;
}

/** A start waits so long for Redis, so that its first requests find it. */
const firstConnectionMs = 1_000;

/**
 * Opens what Redis there is to be.
 *
 * @throws where REDIS_CA_FILE cannot be read
 */
export async function openRedisParts(config: Config, log: Log, registry: Registry): Promise<RedisParts> {
  const metrics = createRedisMetrics(registry);
  const sessions = await openRedis(config.redis, log, metrics("sessions"));
  const own = await openRedis(config.throttleRedis, log, metrics("throttles"));
  return {
    sessions,
    throttles: own ?? sessions,
    close() {
      own?.close();
      sessions?.close();
    },
  };
}

/**
 * Opens Redis, where there is to be one: null otherwise. The driver is loaded only then.
 *
 * @throws where REDIS_CA_FILE cannot be read
 */
async function openRedis(
  config: RedisConfig | null,
  log: Log,
  metrics: RedisObserver,
): Promise<RedisClient | null> {
  if (config === null) return null;
  const { createRedis } = await import("../redis/redis.ts");
  const redis = createRedis({
    ...config,
    observer: {
      onCall: (seconds, succeeded) => metrics.onCall(seconds, succeeded),
      onBreaker(node, closed) {
        metrics.onBreaker(node, closed);
        const of = node === "" ? {} : { node };
        if (closed) log.info(of, "Redis answers again");
        else log.warn(of, "Redis does not answer; the service goes on without it");
      },
    },
  });
  await redis.firstConnection(firstConnectionMs);
  return redis;
}
