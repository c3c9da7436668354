import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { clockSlackMs, haveDiverged, type Line, mergeLines } from "../../src/domain/session/rotation/line.ts";

const graceMs = 60_000;

function line(generation: bigint, rotationAgesMs: number[], name = "one"): Line {
  return { generation, rotationAgesMs, secretKeyId: name, rotationOrigin: name };
}

const lines = fc
  .record({
    generation: fc.bigInt({ min: 0n, max: 12n }),
    ages: fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 4 }),
  })
  .map(({ generation, ages }) =>
    line(generation, ages.toSorted((a, b) => b - a).slice(0, Number(generation))),
  );

describe("what two stores know of a session together", () => {
  test.each<[string, Line, Line, Line]>([
    ["of the same line", line(2n, [50, 20]), line(2n, [50, 20], "two"), line(2n, [50, 20])],
    ["the higher generation", line(2n, [50, 20]), line(3n, [50, 20, 1], "two"), line(3n, [50, 20, 1], "two")],
    ["the earlier time of each rotation", line(2n, [50, 20]), line(2n, [40, 30], "two"), line(2n, [50, 30])],
    [
      "what only one remembers",
      line(5n, [20]),
      line(4n, [90, 80, 70, 60], "two"),
      line(5n, [80, 70, 60, 20]),
    ],
    ["nothing beyond a gap", line(5n, [20]), line(3n, [90, 80], "two"), line(5n, [20])],
    ["of a new session", line(0n, []), line(0n, [], "two"), line(0n, [])],
  ])("%s", (_, one, other, together) => {
    expect(mergeLines(one, other)).toEqual(together);
  });

  test("is never less than what either knows, the same in either order, and the same when it is said again", () => {
    fc.assert(
      fc.property(lines, lines, (one, other) => {
        const together = mergeLines(one, other);
        expect(together.generation).toBe(
          one.generation > other.generation ? one.generation : other.generation,
        );
        expect(mergeLines(other, one)).toEqual(together);
        expect(mergeLines(together, one)).toEqual(together);
        expect(mergeLines(together, other)).toEqual(together);
        const ahead = one.generation >= other.generation ? one : other;
        for (const [index, age] of ahead.rotationAgesMs.entries()) {
          const at = together.rotationAgesMs.length - ahead.rotationAgesMs.length + index;
          expect(together.rotationAgesMs[at]).toBeGreaterThanOrEqual(age);
        }
      }),
    );
  });
});

describe("lines have diverged", () => {
  const late = graceMs + clockSlackMs + 1;

  test.each<[string, Line, Line, boolean]>([
    ["not when both know of the same rotation", line(1n, [late]), line(1n, [late - 500]), false],
    ["when both made one rotation more than a grace apart", line(1n, [late]), line(1n, [0]), true],
    ["not when that was within a grace", line(1n, [graceMs]), line(1n, [0]), false],
    ["when one has gone on since", line(1n, [late]), line(3n, [0, 0.1, 0.2].toReversed()), true],
    ["not by a rotation that the other only caught up with", line(1n, [late]), line(2n, [0, 0]), false],
    ["not where the one that made it has forgotten it", line(1n, [late]), line(6n, [4, 3, 2, 1]), false],
    ["not where one knows nothing", line(0n, []), line(3n, [late, 5, 1]), false],
  ])("%s", (_, one, other, diverged) => {
    expect(haveDiverged(one, other, graceMs)).toBe(diverged);
    expect(haveDiverged(other, one, graceMs)).toBe(diverged);
  });

  test("never from what was merged with the other", () => {
    fc.assert(
      fc.property(lines, lines, (one, other) => {
        fc.pre(!haveDiverged(one, other, graceMs));
        const together = mergeLines(one, other);
        expect(haveDiverged(together, one, graceMs)).toBe(false);
        expect(haveDiverged(together, other, graceMs)).toBe(false);
      }),
    );
  });
});
