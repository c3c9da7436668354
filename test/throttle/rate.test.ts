import { describe, expect, test } from "@jest/globals";
import { parseRate } from "../../src/lib/rate.ts";

describe("a rate", () => {
  test.each([
    ["60/1m", { count: 60, periodMs: 60_000, burst: 60 }],
    ["60/1m burst 10", { count: 60, periodMs: 60_000, burst: 10 }],
    ["1/30d burst 1000000", { count: 1, periodMs: 2_592_000_000, burst: 1_000_000 }],
    ["1000000/1s", { count: 1_000_000, periodMs: 1000, burst: 1_000_000 }],
  ])("is read from %s", (text, rate) => {
    expect(parseRate(text)).toEqual(rate);
  });

  test.each([
    "",
    "60",
    "60/m",
    "60/60",
    "/1m",
    "0/1m",
    "-1/1m",
    "1.5/1m",
    "60/1m burst",
    "60/1m burst 0",
    "60/1m  burst 10",
    "60/1m burst 10 ",
    " 60/1m",
    "60 / 1m",
    "1000001/1s",
    "60/1m burst 1000001",
    "1/500ms",
    "1/31d",
    "1/0s",
    "1e3/1m",
    "60/1m,10/1s",
    "off",
  ])("is not %p", (text) => {
    expect(parseRate(text)).toBeNull();
  });
});
