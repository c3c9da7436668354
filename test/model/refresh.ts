import type { RefreshDecision } from "../../src/domain/session/rotation/decide-refresh.ts";
import type { RotationState } from "../../src/domain/session/rotation/rotation-state.ts";
import type { Rules } from "./rules.ts";
import { graceMs, idleMs, type State } from "./state.ts";

/** Who decides: Redis; PostgreSQL alone; or PostgreSQL, since the answer of Redis, which had decided, was lost. */
export type Route = "redis" | "postgres" | "both";

/** What a refresh came to. */
export interface Outcome {
  /** `gone`: PostgreSQL knows no live session. */
  readonly decision: RefreshDecision | "diverged" | "gone";
  /** The generation of the token that it is answered with; null for a refusal. */
  readonly answer: bigint | null;
}

interface Refreshed {
  readonly state: State;
  readonly outcome: Outcome;
}

/** A refresh token is shown: what advance-session.ts and refresh-session.ts do, in their order. */
export function refresh(state: State, presented: bigint, route: Route, rules: Rules): Refreshed {
  const { row } = state;
  const isGone = (rules.asksEnded && row.ended) || (rules.asksIdle && row.idleForMs >= idleMs);
  if (isGone) return { state, outcome: { decision: "gone", answer: null } };
  if (route === "redis") return inRedis(state, presented, rules);
  if (route === "postgres") return inPostgres(state, presented, rules);
  // Of what Redis did this process knows nothing. It brings what it has to PostgreSQL; the mark stays for the sweep.
  const { record } = inRedis(state, presented, rules).state;
  return inPostgres({ ...save({ ...state, record }, rules), marked: true }, presented, rules);
}

function inRedis(state: State, presented: bigint, rules: Rules): Refreshed {
  const { record, row } = state;
  if (record !== null && rules.diverged(record, row.rotation, graceMs)) {
    return conclude(state, "diverged", row.rotation);
  }
  const rotation = record === null ? row.rotation : rules.withPostgres(record, row.rotation, rules.merge);
  const decision = decide(rotation, presented, state, rules);
  if (!moves(decision)) {
    const renewed =
      decision === "replay" && rules.replayRenews ? { ...state, record: renew(rotation) } : state;
    return conclude(renewed, decision, rotation);
  }
  const moved = move(rotation, presented);
  const { unsaved } = state;
  const newer = unsaved !== null && unsaved.generation > moved.generation ? unsaved : moved;
  const after = { ...state, record: moved, unsaved: newer };
  // Near the end of the idle time the answer waits for PostgreSQL.
  return conclude(row.idleForMs > idleMs / 2 ? save(after, rules) : after, decision, moved);
}

function inPostgres(state: State, presented: bigint, rules: Rules): Refreshed {
  const { row } = state;
  if (rules.asksEnded && row.ended) return { state, outcome: { decision: "gone", answer: null } };
  const decision = decide(row.rotation, presented, state, rules);
  if (!moves(decision)) {
    const renewed =
      decision === "replay" && rules.replayRenews ? { ...row, rotation: renew(row.rotation) } : row;
    return conclude({ ...state, row: renewed }, decision, row.rotation);
  }
  const rotation = move(row.rotation, presented);
  return conclude({ ...state, row: { ...row, rotation, idleForMs: 0 } }, decision, rotation);
}

function decide(rotation: RotationState, presented: bigint, { row }: State, rules: Rules): RefreshDecision {
  return rules.decide(presented, rotation.generation, rotation.rotationAgesMs, graceMs, row.lateFrom);
}

function moves(decision: RefreshDecision): boolean {
  return decision === "rotate" || decision === "catch_up";
}

function move(rotation: RotationState, presented: bigint): RotationState {
  const steps = Number(presented + 1n - rotation.generation);
  const rotationAgesMs = [...rotation.rotationAgesMs, ...Array<number>(steps).fill(0)].slice(-4);
  return { ...rotation, generation: presented + 1n, rotationAgesMs };
}

function renew(rotation: RotationState): RotationState {
  return { ...rotation, rotationAgesMs: [...rotation.rotationAgesMs.slice(0, -1), 0] };
}

/** What is done with a decision, in PostgreSQL, before the answer. */
function conclude(state: State, decision: Outcome["decision"], rotation: RotationState): Refreshed {
  const { row } = state;
  if (decision === "reuse" || decision === "diverged") {
    return { state: { ...state, row: { ...row, ended: true } }, outcome: { decision, answer: null } };
  }
  return { state, outcome: { decision, answer: rotation.generation } };
}

/** A late answer is noted, and so is that the current token was shown: both are one conditional update. */
export function note(state: State, presented: bigint, { decision, answer }: Outcome, rules: Rules): State {
  const { row } = state;
  if (answer === null || row.lateFrom > answer) return state;
  if (decision === "late") return { ...state, row: { ...row, lateFrom: rules.lateFromAfter(answer) } };
  if (decision !== "replay" || presented !== answer) return state;
  return { ...state, row: { ...row, lateFrom: rules.lateFromShown(answer) } };
}

/** A process saves in PostgreSQL what it has from Redis. */
export function save(state: State, rules: Rules): State {
  if (state.unsaved === null) return state;
  return { ...saveRotations(state, state.unsaved, rules), unsaved: null };
}

/** What Redis has of a session that is marked there as unsaved is saved in PostgreSQL. */
export function sweep(state: State, rules: Rules): State {
  if (!rules.sweeps || !state.marked) return state;
  return { ...(state.record === null ? state : saveRotations(state, state.record, rules)), marked: false };
}

function saveRotations(state: State, unsaved: RotationState, rules: Rules): State {
  const { row } = state;
  if (row.ended || row.idleForMs >= idleMs) return state;
  if (rules.diverged(unsaved, row.rotation, graceMs)) return { ...state, row: { ...row, ended: true } };
  const rotation = rules.merge(unsaved, row.rotation);
  const idleForMs = Math.min(row.idleForMs, rotation.rotationAgesMs.at(-1) ?? Infinity);
  return { ...state, row: { ...row, rotation, idleForMs } };
}
