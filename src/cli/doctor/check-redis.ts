import { Redis } from "ioredis";
import { failureClass } from "../../ops/failure-class.ts";
import { type Check, ok, warn } from "./finding.ts";

const name = "Redis";
const timeoutMs = 1_000;

/** Redis, where there is to be one. Nobody waits for it, so it never makes a failure. */
export const checkRedis: Check = {
  name,
  needs: ["REDIS_URL"],
  run: async ({ config: { redisUrl } }) => {
    if (redisUrl === null) return [ok(name, "none is set, and none is needed")];
    const redis = new Redis(redisUrl, {
      lazyConnect: true,
      connectTimeout: timeoutMs,
      commandTimeout: timeoutMs,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    });
    // ioredis fails commands with words of its own; the reason comes as an event.
    let reason: unknown = null;
    redis.on("error", (error: unknown) => (reason ??= error));
    // What accepts connections and says nothing is noticed by ioredis only later.
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(Object.assign(new Error("late"), { code: "ETIMEDOUT" })),
      timeoutMs,
    );
    try {
      await Promise.race([redis.connect(), late.promise]);
      const startedAt = performance.now();
      await redis.ping();
      const pingMs = performance.now() - startedAt;
      return [ok(name, `${await version(redis)} answers in ${pingMs.toFixed(1)} ms`)];
    } catch (error) {
      const mend = "start it or correct REDIS_URL; until then the service does without";
      return [warn(name, `it cannot be reached: ${failureClass(reason ?? error)}`, mend)];
    } finally {
      clearTimeout(timer);
      redis.disconnect();
    }
  },
};

async function version(redis: Redis): Promise<string> {
  const info = await redis.info("server").catch(() => "");
  const valkey = /^valkey_version:([\d.]+)/m.exec(info)?.[1];
  if (valkey !== undefined) return `Valkey ${valkey}`;
  const number = /^redis_version:([\d.]+)/m.exec(info)?.[1];
  return number === undefined ? "it" : `Redis ${number}`;
}
