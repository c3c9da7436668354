import { decideRefresh } from "../../src/domain/session/rotation/decide-refresh.ts";
import {
  haveDiverged,
  type RotationState,
  mergeRotations,
} from "../../src/domain/session/rotation/rotation-state.ts";

/**
 * The mechanisms that the model is made of. The decision and the merge are the product's own functions; what else there
 * is stands in SQL, Lua and the order of calls, and a test replays traces against these.
 */
export interface Rules {
  readonly decide: typeof decideRefresh;
  readonly merge: (one: RotationState, other: RotationState) => RotationState;
  readonly diverged: typeof haveDiverged;
  /** What Redis decides on: its record and what PostgreSQL knows. */
  readonly withPostgres: (record: RotationState, row: RotationState, merge: Rules["merge"]) => RotationState;
  /** The first generation that has a late answer again, after one for this generation. */
  readonly lateFromAfter: (generation: bigint) => bigint;
  /** The same, after this generation was shown and stayed the current one. */
  readonly lateFromShown: (generation: bigint) => bigint;
  /** Whether a replay counts as a rotation. */
  readonly replayRenews: boolean;
  /** Whether PostgreSQL is asked if the session has ended. */
  readonly asksEnded: boolean;
  /** Whether PostgreSQL is asked if the session was idle for too long. */
  readonly asksIdle: boolean;
  /** Whether what a killed process left is swept. */
  readonly sweeps: boolean;
}

/** The rules as they are. */
export const rules: Rules = {
  decide: decideRefresh,
  merge: mergeRotations,
  diverged: haveDiverged,
  withPostgres: (record, row, merge) => merge(record, row),
  lateFromAfter: (generation) => generation + 2n,
  lateFromShown: (generation) => generation + 1n,
  replayRenews: false,
  asksEnded: true,
  asksIdle: true,
  sweeps: true,
};

/** A fault that is planted, and that the model has to find. */
export interface PlantedFault {
  readonly name: string;
  readonly rules: Rules;
  /** The steps before the search begins, for a fault that needs many to show. */
  readonly given?: readonly string[];
}

const decide = decideRefresh;

/** Takes the lower generation's word. */
function mergeLower(one: RotationState, other: RotationState): RotationState {
  const merged = mergeRotations(one, other);
  const behind = other.generation < one.generation ? other : one;
  return { ...merged, generation: behind.generation, rotationAgesMs: behind.rotationAgesMs };
}

/** Takes the later time of each rotation. */
function mergeLater(one: RotationState, other: RotationState): RotationState {
  const merged = mergeRotations(one, other);
  const ageOf = (rotation: RotationState, step: bigint) =>
    rotation.rotationAgesMs.at(-1 - Number(rotation.generation - step));
  const rotationAgesMs = merged.rotationAgesMs.map((age, index) => {
    const step = merged.generation - BigInt(merged.rotationAgesMs.length - 1 - index);
    const ages = [one, other]
      .filter(({ generation }) => generation >= step)
      .map((rotation) => ageOf(rotation, step));
    return Math.min(age, ...ages.filter((known) => known !== undefined));
  });
  return { ...merged, rotationAgesMs };
}

/** Every mechanism that keeps a promise is taken out in turn. */
export const plantedFaults: readonly PlantedFault[] = [
  {
    name: "no grace",
    rules: { ...rules, decide: (shown, current, ages) => decide(shown, current, ages, 0) },
  },
  {
    name: "no late answers",
    rules: { ...rules, decide: (shown, current, ages, grace) => decide(shown, current, ages, grace, null) },
  },
  { name: "no word from PostgreSQL", rules: { ...rules, withPostgres: (record) => record } },
  { name: "unbounded late answers", rules: { ...rules, lateFromAfter: (generation) => generation } },
  {
    name: "late answers again after one rotation",
    rules: { ...rules, lateFromAfter: (generation) => generation + 1n },
  },
  {
    name: "late answers though the successor was shown",
    rules: { ...rules, lateFromShown: () => 0n },
    given: ["the victim refreshes", "the victim refreshes", "the victim refreshes"],
  },
  {
    name: "late answers to any older token",
    rules: {
      ...rules,
      decide: (shown, current, ages, grace, lateFrom) => {
        const decision = decide(shown, current, ages, grace, lateFrom);
        return decision === "reuse" && current >= (lateFrom ?? current + 1n) ? "late" : decision;
      },
    },
  },
  { name: "late answers after the idle time", rules: { ...rules, asksIdle: false } },
  { name: "a replay extends the grace", rules: { ...rules, replayRenews: true } },
  {
    name: "reuse is answered",
    rules: {
      ...rules,
      decide: (shown, current, ages, grace, lateFrom) => {
        const decision = decide(shown, current, ages, grace, lateFrom);
        return decision === "reuse" ? "replay" : decision;
      },
    },
  },
  { name: "the merge takes the lower generation", rules: { ...rules, merge: mergeLower } },
  {
    name: "the merge takes the later time",
    rules: { ...rules, merge: mergeLater },
    given: [
      "the victim refreshes, and the process dies before it tells PostgreSQL",
      "a snapshot of Redis is taken",
      "Redis forgets everything",
    ],
  },
  {
    name: "a newer token is reuse",
    rules: {
      ...rules,
      decide: (shown, current, ages, grace, lateFrom) =>
        shown > current ? "reuse" : decide(shown, current, ages, grace, lateFrom),
    },
  },
  { name: "an ended session is not asked for", rules: { ...rules, asksEnded: false } },
  { name: "nobody sweeps", rules: { ...rules, sweeps: false } },
];
