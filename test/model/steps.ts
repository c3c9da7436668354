import type { RotationState } from "../../src/domain/session/rotation/rotation-state.ts";
import { note, type Outcome, refresh, type Route, save, sweep } from "./refresh.ts";
import type { Rules } from "./rules.ts";
import { agedRotations, graceMs, idleMs, type Party, type State, unitMs } from "./state.ts";

/** What happens, for whoever does it to real stores. */
export type Act =
  | { readonly kind: "show"; readonly end: "arrives" | "lost" | "killed" }
  | { readonly kind: "wait"; readonly ms: number; readonly away: boolean }
  | { readonly kind: "steal" | "tell" | "kill" | "forget" | "take snapshot" | "restore snapshot" };

/** Something that happens. */
export interface Step {
  readonly name: string;
  readonly act: Act;
  /** What it makes of a state; null where it cannot happen, or changes nothing. */
  take(state: State, rules: Rules): Taken | null;
}

/** What a step made of a state. */
export interface Taken {
  readonly state: State;
  /** Null for a step that is no refresh. */
  readonly refreshed: Shown | null;
  /** The property that does not hold; null where all do. */
  readonly violation: string | null;
}

/** A refresh token that was shown, and what that came to. */
export interface Shown {
  readonly party: Party;
  readonly presented: bigint;
  readonly route: Route;
  readonly outcome: Outcome;
}

const shortMs = 2 * unitMs;
const longMs = 5 * unitMs;

/** All that can happen. Whatever takes time takes at least as long as it takes to bring what Redis has to PostgreSQL. */
export const steps: readonly Step[] = [
  show("the victim refreshes", "victim", "redis", "arrives"),
  show("the victim refreshes, and the answer is lost", "victim", "redis", "lost"),
  show("the victim refreshes, and the process dies before it tells PostgreSQL", "victim", "redis", "killed"),
  show("the victim refreshes by PostgreSQL", "victim", "postgres", "arrives"),
  show("the victim refreshes by PostgreSQL, and the answer is lost", "victim", "postgres", "lost"),
  show("the victim refreshes, and Redis' answer is lost", "victim", "both", "arrives"),
  show("the victim refreshes, and Redis' answer and the service's are lost", "victim", "both", "lost"),
  tab("another tab of the victim's shows the token before, within its grace", "redis"),
  tab("another tab of the victim's shows the token before, within its grace, by PostgreSQL", "postgres"),
  show("the thief refreshes", "thief", "redis", "arrives"),
  show("the thief refreshes by PostgreSQL", "thief", "postgres", "arrives"),
  change("the thief steals the victim's token", { kind: "steal" }, (state) =>
    state.thief === null ? { ...state, thief: state.victim } : null,
  ),
  change("less than the grace passes", { kind: "wait", ms: shortMs, away: false }, (state, rules) =>
    wait(settle(state, rules), shortMs),
  ),
  change("more than the grace passes", { kind: "wait", ms: longMs, away: false }, (state, rules) =>
    wait(settle(state, rules), longMs),
  ),
  change(
    "PostgreSQL is away for more than the grace",
    { kind: "wait", ms: longMs, away: true },
    (state, rules) => (state.unsaved === null && !state.marked ? null : settle(wait(state, longMs), rules)),
  ),
  change("PostgreSQL is told", { kind: "tell" }, (state, rules) =>
    state.unsaved === null ? null : save(state, rules),
  ),
  lose("the process is killed", { kind: "kill" }, (state) =>
    state.unsaved === null ? null : { ...state, unsaved: null, marked: true },
  ),
  lose("Redis forgets everything", { kind: "forget" }, (state) =>
    state.record === null ? null : { ...state, record: null, marked: false },
  ),
  change("a snapshot of Redis is taken", { kind: "take snapshot" }, (state) =>
    state.snapshot === null
      ? { ...state, snapshot: { record: state.record, marked: state.marked || state.unsaved !== null } }
      : null,
  ),
  lose("Redis comes back with the snapshot", { kind: "restore snapshot" }, (state) =>
    state.snapshot === null ? null : { ...state, ...state.snapshot, snapshot: null },
  ),
];

/** @throws Error for a name that no step has */
export function findStep(name: string): Step {
  const found = steps.find((step) => step.name === name);
  if (found === undefined) throw new Error(`No step has this name: ${name}`);
  return found;
}

function settle(state: State, rules: Rules): State {
  return sweep(save(state, rules), rules);
}

function lose(name: string, act: Act, make: (state: State) => State | null): Step {
  return change(name, act, make, true);
}

function change(
  name: string,
  act: Act,
  make: (state: State, rules: Rules) => State | null,
  loses = false,
): Step {
  return {
    name,
    act,
    take(state, rules) {
      const made = make(state, rules);
      if (made === null) return null;
      const hasEnded = made.row.ended && !state.row.ended;
      const isHonest = state.thief === null && state.history.apartMs < graceMs;
      const violation = hasEnded && isHonest ? "an honest client is logged out" : null;
      const history = loses ? historyLeft(made) : made.history;
      return { state: { ...made, history }, refreshed: null, violation };
    },
  };
}

function show(name: string, party: Party, route: Route, end: "arrives" | "lost" | "killed"): Step {
  return {
    name,
    act: { kind: "show", end },
    take(state, rules) {
      const presented = state[party];
      if (presented === null) return null;
      const { taken, after } = showToken(state, { party, presented, route }, rules);
      const { answer } = taken.outcome;
      const held = answer === null || end !== "arrives" ? after : { ...after, [party]: answer };
      const made = end === "killed" ? { ...held, unsaved: null, marked: true } : held;
      const history = { ...made.history, made: remember(made.history.made, made, end === "killed") };
      return { state: { ...made, history }, refreshed: taken, violation: findViolation(state, taken) };
    },
  };
}

/** A tab that was slower: the token before the victim's, where it was rotated out within the grace. */
function tab(name: string, route: Route): Step {
  return {
    name,
    act: { kind: "show", end: "lost" },
    take(state, rules) {
      const presented = state.victim - 1n;
      const age = madeAgeOf(state, state.victim);
      if (presented < 0n || age === undefined || age >= graceMs) return null;
      const { taken, after } = showToken(state, { party: "victim", presented, route }, rules);
      return { state: after, refreshed: taken, violation: findViolation(state, taken) };
    },
  };
}

function showToken(
  state: State,
  { party, presented, route }: Omit<Shown, "outcome">,
  rules: Rules,
): { taken: Shown; after: State } {
  const refreshed = refresh(state, presented, route, rules);
  const noted = note(refreshed.state, presented, refreshed.outcome, rules);
  const taken = { party, presented, route, outcome: refreshed.outcome };
  return {
    taken,
    after: {
      ...noted,
      history: { ...historyAfter(state, taken), made: remember(state.history.made, noted) },
    },
  };
}

/** What is left of what happened when stores or processes have lost some: turns that nobody knows of count no more. */
function historyLeft(state: State): State["history"] {
  const { history } = state;
  const made = remember(history.made, state, true);
  const isWhole = made.generation === history.made.generation;
  return isWhole ? { ...history, made } : { ...history, made, lastAnswered: null, turns: 0 };
}

function wait(state: State, ms: number): State {
  const { row, record, snapshot, unsaved, history } = state;
  const isAhead = (snapshot?.record?.generation ?? 0n) > row.rotation.generation;
  const isApart = snapshot !== null && (isAhead || history.apartMs > 0);
  const apartMs = history.apartMs + (isApart ? ms : 0);
  return {
    ...state,
    row: { ...row, rotation: agedRotations(row.rotation, ms), idleForMs: row.idleForMs + ms },
    record: record && agedRotations(record, ms),
    snapshot: snapshot && { ...snapshot, record: snapshot.record && agedRotations(snapshot.record, ms) },
    unsaved: unsaved && agedRotations(unsaved, ms),
    history: {
      ...history,
      made: agedRotations(history.made, ms),
      apartMs,
      answeredForMs: history.answeredForMs + ms,
    },
  };
}

function historyAfter({ history, thief }: State, { party, presented, outcome }: Shown): State["history"] {
  const { decision, answer } = outcome;
  if (answer === null) return history;
  const told = {
    ...history,
    lastLate: decision === "late" ? answer : history.lastLate,
    shown: decision === "replay" && presented === answer ? answer : history.shown,
  };
  const movesOn = doesMoveOn(history, outcome);
  if (thief === null || (history.lastAnswered === null && !movesOn)) return told;
  return { ...told, lastAnswered: party, answeredForMs: 0, turns: turnsAfter(history, party, movesOn) };
}

/** Whether an answer is more than one that somebody else was given already. */
function doesMoveOn({ made }: State["history"], { decision, answer }: Outcome): boolean {
  return decision === "late" || (answer !== null && answer > made.generation);
}

/**
 * Answers to the other, each a grace after the last. Who is answered within the grace is beside the other: from there
 * turns are counted anew.
 */
function turnsAfter(
  { lastAnswered, answeredForMs, turns }: State["history"],
  party: Party,
  movesOn: boolean,
): number {
  if (lastAnswered === party) return turns;
  if (lastAnswered !== null && answeredForMs >= graceMs) return turns + 1;
  return movesOn ? 1 : 0;
}

/** The longest that two may take turns: the first round, and the first half of the second. */
const turnsMax = 3;

/** The property that a refresh breaks; null for none. */
function findViolation(state: State, shown: Shown): string | null {
  const { outcome, party } = shown;
  const { answer, decision } = outcome;
  const { row, history, thief } = state;
  if (answer === null) return thief === null ? honestRefusal(state, shown) : null;
  if (row.ended) return "an ended session is answered";
  if (row.idleForMs >= idleMs) return "a session is answered after its idle time";
  if (answer < row.rotation.generation) {
    return "an answer is older than what PostgreSQL knows: the session has forked";
  }
  if (decision === "late" && history.lastLate !== null && answer - history.lastLate < 2n) {
    return "there are two late answers in a row";
  }
  if (thief !== null && turnsAfter(history, party, doesMoveOn(history, outcome)) > turnsMax) {
    return "thief and victim take turns beyond the second round";
  }
  return oldTokenAnswered(state, shown);
}

function oldTokenAnswered(state: State, { presented, route, outcome }: Shown): string | null {
  // Neither store can hold the other's rotations against a token while they are apart: that is found when they meet.
  if (state.history.apartMs >= graceMs) return null;
  const current = knowableGeneration(state, route);
  if (presented >= current || (madeAgeOf(state, presented + 1n) ?? Infinity) < graceMs) return null;
  if (presented < current - 1n) return "a token two generations back is answered after its grace";
  if (outcome.decision !== "late") return "a grace has grown";
  return state.history.shown === current ? "there is a late answer though the successor was shown" : null;
}

/**
 * An honest client, without a thief, is refused when its session was idle, for a second late answer in a row, and
 * perhaps where the stores were apart for longer than the grace, and so may both have answered one token.
 */
function honestRefusal({ row, history }: State, { presented, outcome }: Shown): string | null {
  if (outcome.decision === "gone" && (row.idleForMs >= idleMs || row.ended)) return null;
  if (history.apartMs >= graceMs) return null;
  const isSecond = history.lastLate !== null && presented + 1n - history.lastLate < 2n;
  return outcome.decision === "reuse" && isSecond ? null : "an honest client is logged out";
}

function rotationsOf({ row, record, unsaved }: State): RotationState[] {
  return [row.rotation, record, unsaved].filter((rotation) => rotation !== null);
}

function highest(rotations: readonly RotationState[]): bigint {
  return rotations.reduce((most, { generation }) => (generation > most ? generation : most), 0n);
}

/**
 * The generation that whoever decides can know of. What the other store has done within the second in which
 * PostgreSQL is told, or before the sweep of what a killed process left, it cannot.
 */
function knowableGeneration(state: State, route: Route): bigint {
  const { row, record, history } = state;
  const known = highest(route === "redis" && record !== null ? [row.rotation, record] : [row.rotation]);
  let { generation } = history.made;
  while (generation > known && (state.marked || (madeAgeOf(state, generation) ?? 0) === 0)) generation -= 1n;
  return generation;
}

/** How long ago a rotation was made first; undefined where nobody remembers. */
function madeAgeOf({ history: { made } }: State, step: bigint): number | undefined {
  return ageOf(made, step);
}

/** The model remembers more rotations than the product does. */
const longMemory = 8n;

/** What some store or process knows of the rotations that were made, each with the time at which it was first. */
function remember(made: RotationState, after: State, loses = false): RotationState {
  const rotations = rotationsOf(after);
  const known = loses ? rotations : [made, ...rotations];
  const generation = highest(rotations);
  const ages: number[] = [];
  for (let step = generation; step > generation - longMemory; step -= 1n) {
    const age = eldest(known, step);
    if (age === undefined) break;
    ages.unshift(age);
  }
  return { ...made, generation, rotationAgesMs: ages };
}

function eldest(rotations: readonly RotationState[], step: bigint): number | undefined {
  const ages = rotations.map((rotation) => ageOf(rotation, step)).filter((age) => age !== undefined);
  return ages.length === 0 ? undefined : Math.max(...ages);
}

function ageOf({ generation, rotationAgesMs }: RotationState, step: bigint): number | undefined {
  const back = generation - step;
  return back < 0n || back >= BigInt(rotationAgesMs.length)
    ? undefined
    : rotationAgesMs.at(-1 - Number(back));
}
