import type { RedisConfig } from "../config/config.ts";
import type { Log } from "../ops/logger.ts";
import type { RedisMetrics } from "../ops/metrics/redis-metrics.ts";
import type { RedisClient } from "../redis/redis.ts";

/** A start waits so long for Redis, so that its first requests find it. */
const firstConnectionMs = 1_000;

/**
 * Opens Redis, where there is to be one: null otherwise. The driver is loaded only then.
 *
 * @throws where REDIS_CA_FILE cannot be read
 */
export async function openRedis(
  config: RedisConfig | null,
  log: Log,
  metrics: RedisMetrics,
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
