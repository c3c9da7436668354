import type { RefreshDecision } from "../../src/domain/session/rotation/decide-refresh.ts";
import type { Line } from "../../src/domain/session/rotation/line.ts";
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
  return inPostgres({ ...tell({ ...state, record }, rules), marked: true }, presented, rules);
}

function inRedis(state: State, presented: bigint, rules: Rules): Refreshed {
  const { record, row } = state;
  if (record !== null && rules.diverged(record, row.line, graceMs)) {
    return conclude(state, "diverged", row.line);
  }
  const line = record === null ? row.line : rules.onFloor(record, row.line, rules.merge);
  const decision = decide(line, presented, state, rules);
  if (!moves(decision)) {
    const renewed = decision === "replay" && rules.replayRenews ? { ...state, record: renew(line) } : state;
    return conclude(renewed, decision, line);
  }
  const moved = move(line, presented);
  const { learned } = state;
  const newer = learned !== null && learned.generation > moved.generation ? learned : moved;
  const after = { ...state, record: moved, learned: newer };
  // Near the end of the idle time the answer waits for PostgreSQL.
  return conclude(row.idleForMs > idleMs / 2 ? tell(after, rules) : after, decision, moved);
}

function inPostgres(state: State, presented: bigint, rules: Rules): Refreshed {
  const { row } = state;
  if (rules.asksEnded && row.ended) return { state, outcome: { decision: "gone", answer: null } };
  const decision = decide(row.line, presented, state, rules);
  if (!moves(decision)) {
    const renewed = decision === "replay" && rules.replayRenews ? { ...row, line: renew(row.line) } : row;
    return conclude({ ...state, row: renewed }, decision, row.line);
  }
  const line = move(row.line, presented);
  return conclude({ ...state, row: { ...row, line, idleForMs: 0 } }, decision, line);
}

function decide(line: Line, presented: bigint, { row }: State, rules: Rules): RefreshDecision {
  return rules.decide(presented, line.generation, line.rotationAgesMs, graceMs, row.lateFrom);
}

function moves(decision: RefreshDecision): boolean {
  return decision === "rotate" || decision === "catch_up";
}

function move(line: Line, presented: bigint): Line {
  const steps = Number(presented + 1n - line.generation);
  const rotationAgesMs = [...line.rotationAgesMs, ...Array<number>(steps).fill(0)].slice(-4);
  return { ...line, generation: presented + 1n, rotationAgesMs };
}

function renew(line: Line): Line {
  return { ...line, rotationAgesMs: [...line.rotationAgesMs.slice(0, -1), 0] };
}

/** What is done with a decision, in PostgreSQL, before the answer. */
function conclude(state: State, decision: Outcome["decision"], line: Line): Refreshed {
  const { row } = state;
  if (decision === "reuse" || decision === "diverged") {
    return { state: { ...state, row: { ...row, ended: true } }, outcome: { decision, answer: null } };
  }
  return { state, outcome: { decision, answer: line.generation } };
}

/** A late answer is noted, and so is that the current token was shown: both are one conditional update. */
export function note(state: State, presented: bigint, { decision, answer }: Outcome, rules: Rules): State {
  const { row } = state;
  if (answer === null || row.lateFrom > answer) return state;
  if (decision === "late") return { ...state, row: { ...row, lateFrom: rules.lateFromAfter(answer) } };
  if (decision !== "replay" || presented !== answer) return state;
  return { ...state, row: { ...row, lateFrom: rules.lateFromShown(answer) } };
}

/** PostgreSQL is told what a process has learned of Redis. */
export function tell(state: State, rules: Rules): State {
  if (state.learned === null) return state;
  return { ...raise(state, state.learned, rules), learned: null };
}

/** PostgreSQL is told what Redis has, of a session that is written down there as unsaved. */
export function sweep(state: State, rules: Rules): State {
  if (!rules.sweeps || !state.marked) return state;
  return { ...(state.record === null ? state : raise(state, state.record, rules)), marked: false };
}

function raise(state: State, learned: Line, rules: Rules): State {
  const { row } = state;
  if (row.ended || row.idleForMs >= idleMs) return state;
  if (rules.diverged(learned, row.line, graceMs)) return { ...state, row: { ...row, ended: true } };
  const line = rules.merge(learned, row.line);
  const idleForMs = Math.min(row.idleForMs, line.rotationAgesMs.at(-1) ?? Infinity);
  return { ...state, row: { ...row, line, idleForMs } };
}
