import type { Config } from "../config/config.ts";
import type { Log } from "../ops/logger.ts";
import { createRedisMetrics } from "../ops/metrics/redis-metrics.ts";
import type { Metrics } from "../ops/metrics/metrics.ts";
import type { RedisClient } from "../redis/redis.ts";

/** A start waits so long for Redis, so that its first requests find it. */
const firstConnectionMs = 1_000;

/**
 * Opens Redis, where there is to be one: null otherwise. The driver is loaded only then.
 *
 * @throws where REDIS_CA_FILE cannot be read
 */
export async function openRedis(config: Config, log: Log, metrics: Metrics): Promise<RedisClient | null> {
  if (config.redis === null) return null;
  const { createRedis } = await import("../redis/redis.ts");
  const observed = createRedisMetrics(metrics.registry);
  const redis = createRedis({
    ...config.redis,
    observer: {
      onCall: (seconds, succeeded) => observed.onCall(seconds, succeeded),
      onBreaker(node, closed) {
        observed.onBreaker(node, closed);
        const of = node === "" ? {} : { node };
        if (closed) log.info(of, "Redis answers again");
        else log.warn(of, "Redis does not answer; the service goes on without it");
      },
    },
  });
  await redis.firstConnection(firstConnectionMs);
  return redis;
}
