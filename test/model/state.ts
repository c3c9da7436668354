import type { RotationState } from "../../src/domain/session/rotation/rotation-state.ts";

/** The unit of time: long enough that nothing but waiting makes a difference. */
export const unitMs = 20_000;
/** Three units. */
export const graceMs = 60_000;
/** Between sixteen and seventeen units: three long waits are within it, four are not. */
export const idleMs = 330_000;

/** A party that holds a refresh token: who has the session, and who stole a token of it. */
export type Party = "victim" | "thief";

/** A session's row in PostgreSQL, which nothing takes back. */
export interface Row {
  readonly rotation: RotationState;
  readonly lateFrom: bigint;
  /** How long ago the session was used, as far as PostgreSQL knows. */
  readonly idleForMs: number;
  readonly ended: boolean;
}

/** What has happened, as nobody but the model knows it: the properties are about this. */
export interface History {
  /** Every rotation that some store or process still knows of, with the time at which it was first made. */
  readonly made: RotationState;
  /** For how long Redis was away with what PostgreSQL was never told. */
  readonly apartMs: number;
  /** The generation of the last late answer; null for none. */
  readonly lastLate: bigint | null;
  /** Whether the current token has been shown, and stayed the current one. */
  readonly shown: bigint | null;
  /** Who was answered last, how long ago, and how many turns there were: answers to the other, a grace apart. */
  readonly lastAnswered: Party | null;
  readonly answeredForMs: number;
  readonly turns: number;
}

/** Everything that decides what may happen next. Ages stand for times: they grow with every wait. */
export interface State {
  readonly row: Row;
  /** The record in Redis; null where there is none. */
  readonly record: RotationState | null;
  /** A snapshot that Redis may come back with; null where none was taken. */
  readonly snapshot: Pick<State, "record" | "marked"> | null;
  /** What a process has from Redis and PostgreSQL has not; null for nothing. It dies with the process. */
  readonly unsaved: RotationState | null;
  /** Whether it is written down in Redis that a process that is gone, or heard nothing, may have rotated the session. */
  readonly marked: boolean;
  /** The generations of the tokens that they hold; null for a thief who has stolen none yet. */
  readonly victim: bigint;
  readonly thief: bigint | null;
  readonly history: History;
}

const newSession: RotationState = {
  generation: 0n,
  rotationAgesMs: [],
  secretKeyId: "0000000a",
  rotationOrigin: null,
};

/** A session that has just begun. */
export const firstState: State = {
  row: { rotation: newSession, lateFrom: 0n, idleForMs: 0, ended: false },
  record: null,
  snapshot: null,
  unsaved: null,
  marked: false,
  victim: 0n,
  thief: null,
  history: {
    made: newSession,
    apartMs: 0,
    lastLate: null,
    shown: null,
    lastAnswered: null,
    answeredForMs: 0,
    turns: 0,
  },
};

/** Lets time pass for the rotations of a session. */
export function agedRotations(rotation: RotationState, ms: number): RotationState {
  return { ...rotation, rotationAgesMs: rotation.rotationAgesMs.map((age) => age + ms) };
}

/**
 * Two states with one key have the same future: generations count from the lowest that matters, and what is too old
 * to matter is as old as anything.
 */
export function keyOf(state: State): string {
  const { row, record, snapshot, unsaved, victim, thief, history } = state;
  const gens = [row.rotation, record, snapshot?.record, unsaved].flatMap((rotation) =>
    rotation ? [rotation.generation] : [],
  );
  const lowest = [victim, ...gens, ...(thief === null ? [] : [thief])].reduce((a, b) => (a < b ? a : b));
  const rel = (generation: bigint | null) => (generation === null ? "n" : Number(generation - lowest));
  // A number at or below the lowest current generation forbids nothing any more, nor does one below it tell anything.
  const relAtLeast = (generation: bigint | null, least: number) =>
    generation === null ? least : Math.max(least, Number(generation - lowest));
  const rotationKey = (rotation: RotationState | null) =>
    rotation === null ? "n" : `${rel(rotation.generation)}:${agesKey(rotation, row.rotation)}`;
  return [
    row.ended ? "e" : "l",
    Math.min(row.idleForMs, idleMs) / unitMs,
    relAtLeast(row.lateFrom, 0),
    rotationKey(row.rotation),
    rotationKey(record),
    snapshot === null ? "" : `${rotationKey(snapshot.record)}${snapshot.marked}`,
    rotationKey(unsaved),
    state.marked ? "m" : "",
    rel(victim),
    rel(thief),
    rotationKey(history.made),
    relAtLeast(history.lastLate, -2),
    relAtLeast(history.shown, -1),
    Math.min(history.apartMs, graceMs) / unitMs,
    history.lastAnswered ?? "",
    Math.min(history.answeredForMs, graceMs) / unitMs,
    history.turns,
  ].join("|");
}

/** Older than any comparison asks for. */
const oldMs = graceMs + 3 * unitMs;

/** Ages as far as they matter: below the grace, beside one another, and beside the row's of the same rotation. */
function agesKey(rotation: RotationState, row: RotationState): string {
  const ages = rotation.rotationAgesMs;
  return ages
    .map((age, index) => {
      const step = Number(rotation.generation) - (ages.length - 1 - index);
      const at = row.rotationAgesMs.length - 1 - (Number(row.generation) - step);
      const rowAge = rotation === row ? undefined : row.rotationAgesMs[at];
      const apart =
        rowAge === undefined ? "" : `/${Math.max(-oldMs, Math.min(oldMs, age - rowAge)) / unitMs}`;
      return `${Math.min(age, oldMs) / unitMs}${age === ages[index + 1] ? "=" : ""}${apart}`;
    })
    .join(",");
}
