import type { RedisConfig } from "../../config/config.ts";
import { failureClass } from "../../ops/failure-class.ts";
import { failureClasses } from "../../ops/failure-classes.ts";
import type { RedisConnection } from "../../redis/connect.ts";
import { type Check, type Finding, ok, warn } from "./finding.ts";

const name = "Redis";
const timeoutMs = 1_000;

/** Redis, if one is configured. The service works without it, so a problem is only a warning. */
export const checkRedis: Check = {
  name,
  needs: ["REDIS_URL", "REDIS_CA_FILE"],
  run: async ({ config: { redis } }) =>
    redis === null ? [ok(name, "none is set; it is optional")] : [await checkServer(name, redis)],
};

/** The separate Redis of the limits, if one is configured. */
export const checkThrottleRedis: Check = {
  name: "Redis of the limits",
  needs: ["THROTTLE_REDIS_URL", "REDIS_CA_FILE"],
  run: async ({ config: { throttleRedis } }) =>
    throttleRedis === null ? [] : [await checkServer("Redis of the limits", throttleRedis)],
};

/** Does what the service does there: runs a script that writes a key, which is gone a second later. */
async function checkServer(subject: string, redis: RedisConfig): Promise<Finding> {
  // The driver is loaded only here, since most commands do not use it.
  const [{ connectRedis }, { checkConnection }] = await Promise.all([
    import("../../redis/connect.ts"),
    import("../../redis/check-connection.ts"),
  ]);
  let connection: RedisConnection | null = null;
  try {
    connection = connectRedis(redis.target, { caFile: redis.caFile, timeoutMs, reconnect: false });
    await readyInTime(connection);
    const startedAt = performance.now();
    await checkConnection(connection, redis.keyPrefix, timeoutMs);
    const answerMs = performance.now() - startedAt;
    return ok(subject, `${await version(connection)} answers in ${answerMs.toFixed(1)} ms`);
  } catch (error) {
    const failure = failureClass(error);
    const isReached = connection?.driver.status === "ready";
    const found = `${isReached ? "it answers, but does not serve" : "it cannot be reached"}: ${failure}`;
    return warn(subject, found, `${failureClasses[failure]}; until then the service works without it`);
  } finally {
    connection?.close();
  }
}

/** ioredis notices only later if a server accepts the connection and stays silent. */
async function readyInTime(connection: RedisConnection): Promise<void> {
  const settled = Promise.withResolvers<void>();
  const timer = setTimeout(
    () => settled.reject(Object.assign(new Error("late"), { code: "ETIMEDOUT" })),
    timeoutMs,
  );
  connection.driver.once("ready", () => settled.resolve());
  connection.driver.once("end", () =>
    settled.reject(connection.failure ?? new Error("Connection is closed.")),
  );
  await settled.promise.finally(() => clearTimeout(timer));
}

async function version({ driver }: RedisConnection): Promise<string> {
  const info = await driver.info("server").catch(() => "");
  const valkey = /^valkey_version:([\d.]+)/m.exec(info)?.[1];
  if (valkey !== undefined) return `Valkey ${valkey}`;
  const number = /^redis_version:([\d.]+)/m.exec(info)?.[1];
  return number === undefined ? "it" : `Redis ${number}`;
}
