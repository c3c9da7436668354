import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { api } from "../_harness/api.ts";
import { eventually } from "../_harness/eventually.ts";
import { longTimeoutMs } from "../_harness/figures.ts";
import { type Fleet, startFleet } from "../_harness/fleet.ts";
import { countStatuses, trustingLoopback } from "../_harness/guessing.ts";
import { readMetric } from "../_harness/metrics.ts";
import { startRedis, type TestRedis } from "../_harness/redis.ts";

const limit = 8;
const redisAway = "Redis is away: limits are counted in memory";
const redisBack = "Redis is back: limits are counted there again";

/** What is waited for takes seconds here. */
const patiently = (condition: () => boolean | Promise<boolean>) => eventually(condition, 60_000, 100);

/** Wrong passwords from one address, one after the other at the instances in turn. */
async function guess(fleet: Fleet, username: string, count: number): Promise<Record<number, number>> {
  const answers = [];
  for (let index = 0; index < count; index += 1) {
    answers.push(await api(fleet.nextUrl()).rest.login({ username, address: "192.0.2.1" }));
  }
  return countStatuses(answers);
}

const env = {
  ...trustingLoopback,
  LOG_LEVEL: "info",
  THROTTLE_FAILURES_ACCOUNT_ADDRESS: `${limit}/30d`,
};

describe("with Redis killed under two instances", () => {
  let redis: TestRedis;
  let fleet: Fleet;
  beforeAll(async () => {
    redis = await startRedis();
    fleet = await startFleet(2, { env: { ...env, THROTTLE_REDIS_URL: redis.url } });
  }, longTimeoutMs);
  afterAll(async () => {
    await fleet.stop();
    await redis.stop();
  });

  test(
    "each counts its share in memory, says so once, and Redis counts again when it is back",
    async () => {
      const [one] = fleet.members();
      if (one === undefined) throw new Error("no instance runs");
      for (const member of fleet.members()) {
        await patiently(async () => (await readMetric(member, "countersign_instances")) === 2);
      }
      expect(await guess(fleet, "before", limit + 4)).toEqual({ 401: limit, 429: 4 });
      expect(await readMetric(one, "countersign_throttle_in_memory")).toBe(0);

      await redis.kill9();
      // Half the limit each.
      expect(await guess(fleet, "without", limit + 4)).toEqual({ 401: limit, 429: 4 });
      expect(await readMetric(one, "countersign_throttle_in_memory")).toBe(1);
      await patiently(() => one.logs().some(({ msg }) => msg === redisAway));
      expect(one.logs().filter(({ msg }) => msg === redisAway)).toHaveLength(1);

      const again = await startRedis({ port: redis.port });
      try {
        await patiently(async () => {
          await api(one).rest.login({ username: "waiting", address: "192.0.2.99" });
          return (await readMetric(one, "countersign_throttle_in_memory")) === 0;
        });
        await patiently(() => one.logs().some(({ msg }) => msg === redisBack));
        expect(one.logs().filter(({ msg }) => msg === redisBack)).toHaveLength(1);
        expect(one.logs().filter(({ msg }) => msg === redisAway)).toHaveLength(1);
      } finally {
        await again.stop();
      }
    },
    longTimeoutMs,
  );
});

describe("without a shared store", () => {
  test(
    "one instance says nothing; with a second each warns, and allows its share",
    async () => {
      const fleet = await startFleet(1, { env });
      try {
        const [alone] = fleet.members();
        expect(alone?.output()).not.toContain("without a shared store");
        const pair = await startFleet(1, { env: { ...env, DATABASE_URL: fleet.databaseUrl } });
        try {
          const both = [...fleet.members(), ...pair.members()];
          await patiently(() => both.every((member) => member.output().includes("without a shared store")));
          for (const member of both) {
            const answers = [];
            for (let index = 0; index < limit; index += 1) {
              answers.push(await api(member).rest.login({ username: "shared", address: "192.0.2.7" }));
            }
            expect(countStatuses(answers)).toEqual({ 401: limit / 2, 429: limit / 2 });
          }
        } finally {
          await pair.stop();
        }
      } finally {
        await fleet.stop();
      }
    },
    longTimeoutMs,
  );
});
