import type { Registry } from "prom-client";
import type { Config } from "../config/config.ts";
import type { Events } from "../domain/events.ts";
import type { SigningKeys } from "../domain/key/signing-keys.ts";
import type { Log } from "../ops/logger.ts";
import { createClockMetrics } from "../ops/metrics/clock-metrics.ts";
import { createSigningKeyMetrics } from "../ops/metrics/signing-key-metrics.ts";
import { createStoreClock, type StoreClock } from "../ops/store-clock.ts";
import { readClockMs } from "../postgres/clock.ts";
import type { Database } from "../postgres/pool.ts";
import type { Commons } from "./commons.ts";
import { buildCore, type Core } from "./core.ts";
import type { Ending } from "./ending.ts";
import type { HealthChecks } from "./health-checks.ts";
import { openRedisParts } from "./open-redis.ts";

/** What a process that serves, or leads others that do, stands on. */
export interface Ground {
  readonly db: Database;
  readonly clock: StoreClock;
  readonly core: Core;
  /** The keys that sign and verify. */
  readonly keys: SigningKeys;
  readonly events: Events;
}

/** What it is opened with. */
export interface GroundParts {
  /** The database, which is open. */
  readonly db: Database;
  readonly secrets: readonly string[];
  readonly commons: Commons;
  readonly events: Events;
  readonly registry: Registry;
  readonly checks: Pick<HealthChecks, "onRedis" | "onClock">;
  readonly ending: Ending;
}

/** Opens Redis, measures the clock, builds the nouns and loads the signing keys. @throws where one cannot be had */
export async function openGround(config: Config, log: Log, parts: GroundParts): Promise<Ground> {
  const { db, secrets, commons, events, registry, checks, ending } = parts;
  const redis = await openRedisParts(config, log, registry);
  ending.push("Redis", () => redis.close());
  checks.onRedis(redis);
  const clock = createStoreClock(() => readClockMs(db));
  await clock.measure();
  createClockMetrics(registry, clock);
  checks.onClock(clock);
  const core = buildCore(config, { db, secrets, commons, redis, events });
  const keys = await core.loadKeys();
  createSigningKeyMetrics(registry).watch(keys);
  return { db, clock, core, keys, events };
}
