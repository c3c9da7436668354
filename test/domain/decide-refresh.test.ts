import { describe, expect, test } from "@jest/globals";
import { decideRefresh, type RefreshDecision } from "../../src/domain/session/rotation/decide-refresh.ts";

const second = 1000;
const graceMs = 60 * second;

type Row = [
  what: string,
  presented: bigint,
  current: bigint,
  agesInSeconds: number[],
  decision: RefreshDecision,
];

describe("what a presented generation means", () => {
  test.each<Row>([
    ["the first token of a new session", 0n, 0n, [], "rotate"],
    ["the current one", 3n, 3n, [50, 40, 30], "rotate"],
    ["the current one of long ago", 3n, 3n, [5000, 4000, 3000], "rotate"],
    ["the current one after four rotations within the grace", 4n, 4n, [59, 40, 30, 20], "replay"],
    [
      "the current one when the first of the last four is out of the grace",
      4n,
      4n,
      [60, 40, 30, 20],
      "rotate",
    ],
    ["the one before, within the grace", 0n, 1n, [59.999], "replay"],
    ["the one before, at the end of the grace", 0n, 1n, [60], "reuse"],
    ["the one before, long ago", 0n, 1n, [6000], "reuse"],
    ["two before, whose rotation is within the grace", 1n, 3n, [70, 50, 1], "replay"],
    ["three before, whose rotation is not, though later ones are", 0n, 3n, [70, 50, 1], "reuse"],
    ["four before, all within the grace", 6n, 10n, [59, 50, 40, 30], "replay"],
    ["older than what is remembered", 5n, 10n, [4, 3, 2, 1], "reuse"],
    ["far older", 0n, 1_000_000_000_000n, [4, 3, 2, 1], "reuse"],
    ["older, without a memory of it", 0n, 1n, [], "reuse"],
    ["newer by one", 4n, 3n, [50, 40, 30], "catch_up"],
    ["newer by many", 400n, 3n, [5, 4, 3], "catch_up"],
    ["the one before, when the clock went back a little", 0n, 1n, [-0.01], "replay"],
  ])("%s", (_what, presented, current, ages, decision) => {
    const agesMs = ages.map((age) => age * second);
    expect(decideRefresh(presented, current, agesMs, graceMs)).toBe(decision);
  });

  test.each<
    [what: string, presented: bigint, current: bigint, lateFrom: bigint | null, decision: RefreshDecision]
  >([
    ["the parent of the current one", 4n, 5n, 0n, "late"],
    ["the parent of the first one that has late answers", 4n, 5n, 5n, "late"],
    ["the parent of one that has none yet", 4n, 5n, 6n, "reuse"],
    ["the parent where there are none", 4n, 5n, null, "reuse"],
    ["the grandparent", 3n, 5n, 0n, "reuse"],
    ["the current one itself", 5n, 5n, 0n, "rotate"],
    ["a newer one", 6n, 5n, 0n, "catch_up"],
  ])("with late answers, after the grace, %s", (_what, presented, current, lateFrom, decision) => {
    for (const agesMs of [[], [graceMs], [9 * graceMs, 8 * graceMs, 7 * graceMs, 6 * graceMs]]) {
      expect(decideRefresh(presented, current, agesMs, graceMs, lateFrom)).toBe(decision);
    }
  });

  test("with late answers, within the grace, the parent of the current one is a replay", () => {
    expect(decideRefresh(4n, 5n, [graceMs - 1], graceMs, 0n)).toBe("replay");
  });

  test("without a grace there are no late answers", () => {
    expect(decideRefresh(4n, 5n, [1000], 0, 0n)).toBe("reuse");
  });

  test.each<Row>([
    ["the current one is rotated, however often it was", 9n, 9n, [0.003, 0.002, 0.001, 0], "rotate"],
    ["the one before is reuse at once", 8n, 9n, [0.003, 0.002, 0.001, 0], "reuse"],
    ["also when it was rotated after the statement that asks began", 8n, 9n, [3, 2, 1, -0.001], "reuse"],
    ["a newer one catches up", 10n, 9n, [3, 2, 1, 0], "catch_up"],
  ])("without a grace %s", (_what, presented, current, ages, decision) => {
    const agesMs = ages.map((age) => age * second);
    expect(decideRefresh(presented, current, agesMs, 0)).toBe(decision);
  });
});
