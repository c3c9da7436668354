import { randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { createMemoryBuckets } from "../../src/domain/throttle/memory-buckets.ts";
import { longTimeoutMs, printFigures, sizeOf } from "../_harness/figures.ts";

const rate = { intervalUs: 60_000_000, burst: 10 };

describe("buckets in memory", () => {
  test(
    "are bounded under a flood of random keys, which does not free one that is full",
    () => {
      let forgotten = 0;
      const bucketsMax = 100_000;
      const keys = sizeOf(250_000, 1_000_000);
      const onForgotten = () => (forgotten += 1);
      const buckets = createMemoryBuckets({ bucketsMax, onForgotten, nowUs: () => 0 });
      for (let attempt = 0; attempt < rate.burst; attempt += 1) {
        buckets.charge({ key: "victim", rate, isTrial: false });
      }
      const before = process.memoryUsage().heapUsed;
      let sizeMax = 0;
      for (let index = 0; index < keys; index += 1) {
        buckets.charge({
          key: `failures-account:${randomBytes(16).toString("base64url")}`,
          rate,
          isTrial: false,
        });
        sizeMax = Math.max(sizeMax, buckets.size);
      }
      const grownMb = Math.round((process.memoryUsage().heapUsed - before) / 2 ** 20);
      printFigures("random keys", { keys, sizeMax, forgotten, "heap grown by MB": grownMb });
      expect(sizeMax).toBe(bucketsMax);
      expect(forgotten).toBe(keys + 1 - bucketsMax);
      expect(buckets.charge({ key: "victim", rate, isTrial: false }).allowed).toBe(false);
    },
    longTimeoutMs,
  );

  test("are dropped once they are empty, as others come", () => {
    let nowUs = 0;
    const onForgotten = () => {
      throw new Error("nothing has to be forgotten here");
    };
    const buckets = createMemoryBuckets({ bucketsMax: 100, onForgotten, nowUs: () => nowUs });
    for (let index = 0; index < 10_000; index += 1) {
      // Fifty are in use at any time; those that are empty are found by looking at some.
      nowUs += rate.intervalUs / 50;
      buckets.charge({ key: String(index), rate, isTrial: false });
    }
    expect(buckets.size).toBeLessThan(100);
  });

  test("forget the least full where all are in use", () => {
    const buckets = createMemoryBuckets({ bucketsMax: 3, onForgotten: () => {}, nowUs: () => 0 });
    for (const key of ["full", "full", "light", "half", "half", "new"]) {
      buckets.charge({ key, rate, isTrial: false });
    }
    const left = ["full", "half", "light"].map((key) => buckets.charge({ key, rate, isTrial: false }));
    // One charge more than before, or the first again.
    expect(left.map(({ emptyAtUs }) => emptyAtUs / rate.intervalUs)).toEqual([3, 3, 1]);
  });
});
