import type { Config } from "../config/config.ts";
import { createInstanceStore } from "../domain/instance/instance-store.ts";
import type { HealthCheck } from "../ops/check-loop.ts";
import type { StoreClock } from "../ops/store-clock.ts";
import type { Database } from "../postgres/pool.ts";
import type { RedisClient } from "../redis/redis.ts";
import type { RedisParts } from "./open-redis.ts";

/** The checks. Each begins when a start has come to what it looks at. */
export interface HealthChecks {
  readonly checks: readonly HealthCheck[];
  /** There is a pool; whether the database answers is not known yet. */
  onDatabase(db: Database): void;
  /** The tables are there. */
  onSchema(): void;
  onRedis(parts: Pick<RedisParts, "sessions" | "throttles">): void;
  /** The clock was measured against the database's. */
  onClock(clock: Pick<StoreClock, "check">): void;
}

/** It waits for the standbys that PostgreSQL waits for, and is done seldom, since it takes a commit. */
const writePeriodMs = 5_000;
const writeTimeoutMs = 2_000;
const clockPeriodMs = 10_000;
const clockTimeoutMs = 5_000;

/**
 * What health hangs on. Each check does what the work does. Readiness hangs on an answer of PostgreSQL alone: without
 * it nobody is served; where it only takes no writes, tokens are still looked at; without Redis everybody is served.
 */
export function createHealthChecks(config: Pick<Config, "redis" | "throttleRedis">): HealthChecks {
  const database = Promise.withResolvers<Database>();
  const schema = Promise.withResolvers<void>();
  const redis = Promise.withResolvers<Pick<RedisParts, "sessions" | "throttles">>();
  const clock = Promise.withResolvers<Pick<StoreClock, "check">>();
  const instances = database.promise.then(createInstanceStore);

  const checkRedis = (name: string, part: "sessions" | "throttles"): HealthCheck => ({
    name,
    gatesReadiness: false,
    startsAfter: redis.promise,
    run: async () => requireClient((await redis.promise)[part]).check(),
  });
  return {
    checks: [
      {
        name: "postgres",
        gatesReadiness: true,
        startsAfter: database.promise,
        run: async (signal) => (await database.promise).ping(signal),
      },
      {
        name: "postgres_writes",
        gatesReadiness: false,
        startsAfter: schema.promise,
        periodMs: writePeriodMs,
        timeoutMs: writeTimeoutMs,
        run: async () => (await instances).probeWrites(),
      },
      ...(config.redis === null ? [] : [checkRedis("redis", "sessions")]),
      ...(config.throttleRedis === null ? [] : [checkRedis("redis_throttles", "throttles")]),
      {
        name: "clock",
        // Tokens are checked by the database's time: nobody is refused for it.
        gatesReadiness: false,
        startsAfter: clock.promise,
        periodMs: clockPeriodMs,
        timeoutMs: clockTimeoutMs,
        run: async () => (await clock.promise).check(),
      },
    ],
    onDatabase: database.resolve,
    onSchema: schema.resolve,
    onRedis: redis.resolve,
    onClock: clock.resolve,
  };
}

function requireClient(client: RedisClient | null): RedisClient {
  if (client === null) throw new Error("there is no such Redis");
  return client;
}
