import type { Rules } from "./rules.ts";
import { firstState, type State } from "./state.ts";
import { type Step, steps, type Taken } from "./steps.ts";

/** One step of a history, with the state that it was taken in. */
export interface Walked {
  readonly step: Step;
  readonly before: State;
  readonly taken: Taken;
}

/** Takes a history's steps, and leaves out those that cannot happen where they stand. */
export function follow(history: readonly Step[], rules: Rules): Walked[] {
  const walked: Walked[] = [];
  let state = firstState;
  for (const step of history) {
    const taken = step.take(state, rules);
    if (taken === null) continue;
    walked.push({ step, before: state, taken });
    ({ state } = taken);
  }
  return walked;
}

/** Histories by chance, the same for the same seed; each goes on for some steps after its session has ended. */
export function walk(seed: number, length: number, rules: Rules): Walked[] {
  const random = createRandom(seed);
  const history = Array.from({ length }, () => steps[Math.floor(random() * steps.length)]);
  return follow(
    history.filter((step) => step !== undefined),
    rules,
  );
}

/** Mulberry32. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
