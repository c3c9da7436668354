import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  clockSlackMs,
  haveDiverged,
  type RotationState,
  mergeRotations,
} from "../../src/domain/session/rotation/rotation-state.ts";

const graceMs = 60_000;

function state(generation: bigint, rotationAgesMs: number[], name = "one"): RotationState {
  return { generation, rotationAgesMs, secretKeyId: name, rotationOrigin: name };
}

const lines = fc
  .record({
    generation: fc.bigInt({ min: 0n, max: 12n }),
    ages: fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 4 }),
  })
  .map(({ generation, ages }) =>
    state(generation, ages.toSorted((a, b) => b - a).slice(0, Number(generation))),
  );

describe("what two stores know of a session together", () => {
  test.each<[string, RotationState, RotationState, RotationState]>([
    ["of the same state", state(2n, [50, 20]), state(2n, [50, 20], "two"), state(2n, [50, 20])],
    [
      "the higher generation",
      state(2n, [50, 20]),
      state(3n, [50, 20, 1], "two"),
      state(3n, [50, 20, 1], "two"),
    ],
    [
      "the earlier time of each rotation",
      state(2n, [50, 20]),
      state(2n, [40, 30], "two"),
      state(2n, [50, 30]),
    ],
    [
      "what only one remembers",
      state(5n, [20]),
      state(4n, [90, 80, 70, 60], "two"),
      state(5n, [80, 70, 60, 20]),
    ],
    ["nothing beyond a gap", state(5n, [20]), state(3n, [90, 80], "two"), state(5n, [20])],
    ["of a new session", state(0n, []), state(0n, [], "two"), state(0n, [])],
  ])("%s", (_, one, other, together) => {
    expect(mergeRotations(one, other)).toEqual(together);
  });

  test("is never less than what either knows, the same in either order, and the same when it is said again", () => {
    fc.assert(
      fc.property(lines, lines, (one, other) => {
        const together = mergeRotations(one, other);
        expect(together.generation).toBe(
          one.generation > other.generation ? one.generation : other.generation,
        );
        expect(mergeRotations(other, one)).toEqual(together);
        expect(mergeRotations(together, one)).toEqual(together);
        expect(mergeRotations(together, other)).toEqual(together);
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

  test.each<[string, RotationState, RotationState, boolean]>([
    ["not when both know of the same rotation", state(1n, [late]), state(1n, [late - 500]), false],
    ["when both made one rotation more than a grace apart", state(1n, [late]), state(1n, [0]), true],
    ["not when that was within a grace", state(1n, [graceMs]), state(1n, [0]), false],
    ["when one has gone on since", state(1n, [late]), state(3n, [0, 0.1, 0.2].toReversed()), true],
    ["not by a rotation that the other only caught up with", state(1n, [late]), state(2n, [0, 0]), false],
    ["not where the one that made it has forgotten it", state(1n, [late]), state(6n, [4, 3, 2, 1]), false],
    ["not where one knows nothing", state(0n, []), state(3n, [late, 5, 1]), false],
  ])("%s", (_, one, other, diverged) => {
    expect(haveDiverged(one, other, graceMs)).toBe(diverged);
    expect(haveDiverged(other, one, graceMs)).toBe(diverged);
  });

  test("never from what was merged with the other", () => {
    fc.assert(
      fc.property(lines, lines, (one, other) => {
        fc.pre(!haveDiverged(one, other, graceMs));
        const together = mergeRotations(one, other);
        expect(haveDiverged(together, one, graceMs)).toBe(false);
        expect(haveDiverged(together, other, graceMs)).toBe(false);
      }),
    );
  });
});
