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
  /** The workers serve. @param ready how many of them are ready */
  onWorkers(ready: () => number): void;
}

/** It waits for the standbys that PostgreSQL waits for, and is done seldom, since it takes a commit. */
const writePeriodMs = 5_000;
const writeTimeoutMs = 2_000;
const clockPeriodMs = 10_000;
const clockTimeoutMs = 5_000;

/**
 * What health hangs on. Each check does what the work does. Readiness hangs on an answer of PostgreSQL alone: without
 * it nobody is served; where it only takes no writes, tokens are still looked at; without Redis everybody is served. A
 * supervisor is ready as long as one of its workers is: connections go to those that live.
 *
 * @param workers how many there are to be; 0 where the process has none
 */
export function createHealthChecks(
  config: Pick<Config, "redis" | "throttleRedis">,
  workers: number,
): HealthChecks {
  const database = Promise.withResolvers<Database>();
  const schema = Promise.withResolvers<void>();
  const redis = Promise.withResolvers<Pick<RedisParts, "sessions" | "throttles">>();
  const clock = Promise.withResolvers<Pick<StoreClock, "check">>();
  const crew = Promise.withResolvers<() => number>();
  const instances = database.promise.then(createInstanceStore);

  const checkRedis = (name: string, part: "sessions" | "throttles"): HealthCheck => ({
    name,
    gatesReadiness: false,
    startsAfter: redis.promise,
    run: async () => requireClient((await redis.promise)[part]).check(),
  });
  const checkWorkers = (
    name: string,
    gatesReadiness: boolean,
    min: number,
    failure: string,
  ): HealthCheck => ({
    name,
    gatesReadiness,
    startsAfter: crew.promise,
    async run() {
      if ((await crew.promise)() < min) throw new Error(failure);
    },
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
      ...(workers === 0
        ? []
        : [
            checkWorkers("worker", true, 1, "no worker is ready"),
            checkWorkers("all_workers", false, workers, "some workers are not ready"),
          ]),
    ],
    onDatabase: database.resolve,
    onSchema: schema.resolve,
    onRedis: redis.resolve,
    onClock: clock.resolve,
    onWorkers: crew.resolve,
  };
}

function requireClient(client: RedisClient | null): RedisClient {
  if (client === null) throw new Error("there is no such Redis");
  return client;
}
