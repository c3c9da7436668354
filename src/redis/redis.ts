import { Redis } from "ioredis";
import { AppError } from "../domain/errors.ts";
import type { RedisScript } from "./script.ts";

export type { RedisScript } from "./script.ts";

/** Redis, as far as the service needs it. Nothing that it holds is the truth about anything. */
export interface RedisClient {
  /** Resolves when Redis answers. @throws within the timeout where it does not */
  ping(): Promise<void>;
  /**
   * Runs a script on its one key.
   *
   * @returns what the script returns: integers as numbers, texts as strings, tables as arrays
   * @throws AppError unavailable, within the timeout, where Redis does not answer, or answers an error
   */
  run(script: RedisScript, key: string, args: readonly (string | number)[]): Promise<unknown>;
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
    async run(script, key, args) {
      try {
        return await runScript(redis, script, key, args);
      } catch (error) {
        throw new AppError("unavailable", "A store is not reachable at the moment.", { cause: error });
      }
    },
    close: () => redis.disconnect(),
  };
}

/** EVALSHA, and EVAL where Redis does not know the script yet. */
async function runScript(
  redis: Redis,
  script: RedisScript,
  key: string,
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await redis.evalsha(script.sha1, 1, key, ...args);
  } catch (error) {
    if (!(Error.isError(error) && error.message.startsWith("NOSCRIPT"))) throw error;
    return await redis.eval(script.lua, 1, key, ...args);
  }
}
