import { failureClass } from "../../ops/failure-class.ts";
import type { RedisConnection } from "../../redis/connect.ts";
import { withinDeadline } from "../../redis/deadline.ts";
import { type Check, ok, warn } from "./finding.ts";

const name = "Redis";
const timeoutMs = 1_000;

/** Redis, where there is to be one. Nobody waits for it, so it never makes a failure. */
export const checkRedis: Check = {
  name,
  needs: ["REDIS_URL", "REDIS_CA_FILE"],
  run: async ({ config: { redis } }) => {
    if (redis === null) return [ok(name, "none is set, and none is needed")];
    // The driver is loaded where it is used: most starts of a command do without.
    const { connectRedis } = await import("../../redis/connect.ts");
    // ioredis fails commands with words of its own; the reason comes as an event.
    let reason: unknown = null;
    let connection: RedisConnection | null = null;
    try {
      connection = connectRedis(redis.target, { caFile: redis.caFile, timeoutMs, reconnect: false });
      const { driver } = connection;
      driver.on("error", (error: unknown) => (reason ??= lastNodeError(error)));
      await readyInTime(connection);
      const startedAt = performance.now();
      await withinDeadline(driver.ping(), timeoutMs);
      const pingMs = performance.now() - startedAt;
      return [ok(name, `${await version(connection)} answers in ${pingMs.toFixed(1)} ms`)];
    } catch (error) {
      const mend = "start it or correct REDIS_URL; until then the service does without";
      return [warn(name, `it cannot be reached: ${failureClass(reason ?? error)}`, mend)];
    } finally {
      connection?.close();
    }
  },
};

/** What accepts connections and says nothing is noticed by ioredis only later. */
async function readyInTime({ driver }: RedisConnection): Promise<void> {
  const settled = Promise.withResolvers<void>();
  const timer = setTimeout(
    () => settled.reject(Object.assign(new Error("late"), { code: "ETIMEDOUT" })),
    timeoutMs,
  );
  driver.once("ready", () => settled.resolve());
  driver.once("end", () => settled.reject(new Error("the connection ended")));
  await settled.promise.finally(() => clearTimeout(timer));
}

/** A cluster that cannot be reached says only that; what its last node failed of lies in it. */
function lastNodeError(error: unknown): unknown {
  return Error.isError(error) && "lastNodeError" in error ? (error.lastNodeError ?? error) : error;
}

async function version({ driver }: RedisConnection): Promise<string> {
  const info = await driver.info("server").catch(() => "");
  const valkey = /^valkey_version:([\d.]+)/m.exec(info)?.[1];
  if (valkey !== undefined) return `Valkey ${valkey}`;
  const number = /^redis_version:([\d.]+)/m.exec(info)?.[1];
  return number === undefined ? "it" : `Redis ${number}`;
}
