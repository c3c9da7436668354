import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { Redis } from "ioredis";
import {
  awaitsOthers,
  type BucketRate,
  type BucketState,
  chargeBucket,
  refundBucket,
  remaining,
  waitUs,
} from "../../src/domain/throttle/gcra.ts";
import { createMemoryBuckets } from "../../src/domain/throttle/memory-buckets.ts";
import { createRedisBuckets } from "../../src/domain/throttle/redis-buckets.ts";
import { readScript, type RedisScript } from "../../src/redis/script.ts";
import { longTimeoutMs, printFigures } from "../_harness/figures.ts";
import { sharedRedisUrl } from "../_harness/shared-stores.ts";

const rates = fc.record({
  intervalUs: fc.integer({ min: 1, max: 1_000_000 }),
  burst: fc.integer({ min: 1, max: 20 }),
});

describe("a bucket", () => {
  test("lets a burst through at once, then one for each interval", () => {
    const rate = { intervalUs: 100, burst: 3 };
    const times = [0, 0, 0, 0, 99, 100, 100, 199, 200, 500, 500, 500, 500];
    let emptyAtUs = 0;
    const passed = times.map((nowUs) => {
      const state = chargeBucket(emptyAtUs, nowUs, rate);
      ({ emptyAtUs } = state);
      return state.allowed ? "passes" : "waits";
    });
    const expected = "passes passes passes waits waits passes waits waits passes passes passes passes waits";
    expect(passed.join(" ")).toBe(expected);
  });

  test("tells how long to wait: a microsecond before is too early, then it passes", () => {
    fc.assert(
      fc.property(rates, fc.array(fc.nat(2_000_000), { minLength: 1, maxLength: 50 }), (rate, gaps) => {
        let [emptyAtUs, nowUs] = [0, 1_000_000];
        for (const gap of gaps) {
          nowUs += gap;
          const state = chargeBucket(emptyAtUs, nowUs, rate);
          const wait = waitUs(state, rate);
          const later = (us: number) => chargeBucket(state.emptyAtUs, nowUs + us, rate).allowed;
          expect(later(wait)).toBe(true);
          expect(later(Math.max(0, wait - 1))).toBe(wait === 0);
          expect(wait === 0).toBe(remaining(state, rate) > 0);
          ({ emptyAtUs } = state);
        }
      }),
    );
  });

  test("lets no more through in any window than its burst and what drains meanwhile", () => {
    fc.assert(
      fc.property(rates, fc.array(fc.nat(50_000), { minLength: 1, maxLength: 200 }), (rate, gaps) => {
        const passedAt: number[] = [];
        let [emptyAtUs, nowUs] = [0, 1_000_000];
        for (const gap of gaps) {
          nowUs += gap;
          const state = chargeBucket(emptyAtUs, nowUs, rate);
          ({ emptyAtUs } = state);
          if (state.allowed) passedAt.push(nowUs);
        }
        for (const [first, from] of passedAt.entries()) {
          for (const [last, to] of passedAt.entries()) {
            if (last < first) continue;
            expect(last - first + 1).toBeLessThanOrEqual(rate.burst + (to - from) / rate.intervalUs);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  test("is as if it had never been charged where the charge is taken back at once", () => {
    const nowUs = 1_000_000;
    const room = rates.chain((rate) =>
      // Where one more charge has room.
      fc.record({ rate: fc.constant(rate), ahead: fc.nat(rate.intervalUs * (rate.burst - 1)) }),
    );
    const given = fc.property(room, ({ rate, ahead }) => {
      const { allowed, emptyAtUs } = chargeBucket(nowUs + ahead, nowUs, rate);
      expect([allowed, refundBucket(emptyAtUs, nowUs, rate, emptyAtUs)]).toEqual([true, nowUs + ahead]);
    });
    expect(() => fc.assert(given)).not.toThrow();
  });

  test("tells attempts under way from failures, and forgets those that nobody ends", () => {
    const rate = { intervalUs: 1_000_000_000, burst: 3 };
    const underWay = { count: 2, untilUs: 1_000 };
    const full = { emptyAtUs: 3 * rate.intervalUs, rate };
    const refused = (nowUs: number, count: number) =>
      chargeBucket(full.emptyAtUs, nowUs, rate, { ...underWay, count }, true);
    expect([0, 1, 2].map((count) => awaitsOthers(refused(10, count), rate))).toEqual([false, true, true]);
    expect([999, 1_000].map((nowUs) => awaitsOthers(refused(nowUs, 2), rate))).toEqual([true, false]);
    // Nor does anything count of a bucket that has emptied.
    expect(chargeBucket(5, 10, rate, underWay, true)).toMatchObject({ allowed: true, underWay: 1 });
    expect(chargeBucket(11, 10, rate, underWay, false)).toMatchObject({ allowed: true, underWay: 2 });
  });

  test("gives nothing back that has drained, whatever was charged since", () => {
    const rate = { intervalUs: 100, burst: 3 };
    const first = chargeBucket(0, 1000, rate);
    const second = chargeBucket(first.emptyAtUs, 1150, rate);
    expect(second.emptyAtUs).toBe(1250);
    expect(refundBucket(second.emptyAtUs, 1150, rate, first.emptyAtUs)).toBe(1250);
  });
});

describe("the scripts of Redis", () => {
  // Without the service's short timeout: here an answer that comes late is an answer.
  let connection: Redis;
  beforeAll(() => {
    connection = new Redis(sharedRedisUrl());
  });
  afterAll(() => connection.disconnect());
  const redis = {
    run: (
      script: RedisScript,
      keys: string | readonly string[],
      args: readonly (string | number)[],
    ): Promise<unknown> => {
      const all = [keys].flat();
      return connection.eval(script.lua, all.length, ...all, ...args);
    },
    lieTogether: () => true,
  };

  const settleScript = readScript(new URL("../../src/domain/throttle/gcra-settle.lua", import.meta.url));

  /** Plays a history on a fresh bucket in Redis, and at Redis' times in memory. */
  async function play(key: string, rate: BucketRate, isTrial: boolean, steps: readonly number[]) {
    let nowUs = 0;
    let [refused, open] = [0, 0];
    const inRedis = createRedisBuckets(redis);
    const inMemory = createMemoryBuckets({ bucketsMax: 10, onForgotten: () => {}, nowUs: () => nowUs });
    const charges: BucketState[] = [];
    const seen: BucketState[] = [];
    const expected: BucketState[] = [];
    for (const step of steps) {
      const charged = charges[step];
      if (charged === undefined) {
        const [state] = await inRedis.charge([{ key, rate, isTrial }]);
        if (state === undefined) throw new Error("Redis answers no state.");
        ({ nowUs } = state);
        seen.push(state);
        expected.push(inMemory.charge({ key, rate, isTrial }));
        if (state.allowed) charges.push(state);
        else refused += 1;
        if (awaitsOthers(state, rate)) open += 1;
      } else {
        // Every other one has failed, and stands.
        const stands = isTrial && charged.emptyAtUs % 2 === 0;
        const refundUs = stands ? 0 : rate.intervalUs;
        const args = [refundUs, charged.emptyAtUs];
        [nowUs = 0] = (await redis.run(settleScript, `throttle:${key}`, args)) as number[];
        inMemory.settle({ key, refundUs, emptyAtUs: charged.emptyAtUs });
        charges.splice(step, 1);
      }
    }
    expect(seen).toEqual(expected);
    return { refused, open };
  }

  test.each([
    ["one command", true],
    ["a command for each bucket, as in a cluster", false],
  ])("charge several buckets by %s up to the first that refuses, and settle them", async (_, together) => {
    const buckets = createRedisBuckets({ ...redis, lieTogether: () => together });
    const rate = { intervalUs: 3_600_000_000, burst: 2 };
    const charges = ["wide", "narrow", "last"].map((name) => ({
      key: `test:several:${together}:${Date.now()}:${name}`,
      rate: name === "narrow" ? { ...rate, burst: 1 } : rate,
      isTrial: true,
    }));
    const allowedOf = (states: readonly BucketState[]) => states.map(({ allowed }) => allowed);

    const first = await buckets.charge(charges);
    expect(allowedOf(first)).toEqual([true, true, true]);
    const second = await buckets.charge(charges);
    expect(allowedOf(second)).toEqual([true, false]);

    const settlements = charges.map(({ key }, index) => ({
      key,
      refundUs: rate.intervalUs,
      emptyAtUs: first[index]?.emptyAtUs ?? 0,
    }));
    await buckets.settle(settlements);
    expect(allowedOf(await buckets.charge(charges))).toEqual([true, true, true]);
    // Of the wide one two stand now, of the last one one.
    expect(allowedOf(await buckets.charge(charges.slice(0, 1)))).toEqual([false]);
    expect(allowedOf(await buckets.charge(charges.slice(2)))).toEqual([true]);
  });

  test(
    "and the arithmetic in memory agree on 10,000 random histories",
    async () => {
      const histories = 10_000;
      const samples = fc.sample(
        fc.record({
          // From what drains between two commands to what never does.
          intervalUs: fc.oneof(
            fc.integer({ min: 1, max: 2_000 }),
            fc.integer({ min: 1, max: 1_000_000 }),
            fc.integer({ min: 1, max: 30 * 86_400 }).map((seconds) => seconds * 1_000_000),
          ),
          burst: fc.integer({ min: 1, max: 6 }),
          // A step takes the charge of its number back, where there is one, and charges otherwise.
          steps: fc.array(fc.nat(9), { minLength: 1, maxLength: 16 }),
        }),
        { numRuns: histories, seed: 20_261_124 },
      );
      let [refused, open, total] = [0, 0, 0];
      const run = `test:${Date.now()}`;
      const lanes = 16;
      await Promise.all(
        Array.from({ length: lanes }, async (_, lane) => {
          for (let index = lane; index < histories; index += lanes) {
            const { steps, ...rate } = samples[index] ?? { intervalUs: 1, burst: 1, steps: [] };
            const counts = await play(`${run}:${index}`, rate, index % 2 === 0, steps);
            refused += counts.refused;
            open += counts.open;
            total += steps.length;
          }
        }),
      );
      printFigures("histories", { histories, steps: total, refused, "refused for others under way": open });
      expect(refused).toBeGreaterThan(1000);
      expect(open).toBeGreaterThan(100);
    },
    longTimeoutMs,
  );
});
