import { Redis } from "ioredis";

/** Redis, as far as the service needs it. Nothing that it holds is the truth about anything. */
export interface RedisClient {
  /** Resolves when Redis answers. @throws within the timeout where it does not */
  ping(): Promise<void>;
  close(): void;
}

const connectTimeoutMs = 1_000;
const commandTimeoutMs = 500;
const reconnectDelayMaxMs = 2_000;

/**
 * Opens a connection that is made anew in the background whenever it breaks. A command fails at once
 * while there is none: nobody waits for Redis.
 *
 * @param url redis:// or rediss://
 */
export function createRedis(url: string): RedisClient {
  const redis = new Redis(url, {
    connectTimeout: connectTimeoutMs,
    commandTimeout: commandTimeoutMs,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(attempt * 100, reconnectDelayMaxMs),
  });
  // Health tells of it, once per change and not once per attempt.
  redis.on("error", () => undefined);
  return {
    async ping() {
      await redis.ping();
    },
    close: () => redis.disconnect(),
  };
}
