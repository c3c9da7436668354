import { rememberedRotations } from "./decide-refresh.ts";

/**
 * The rotations of a session as one store knows them. Only ages cross between stores, never times: each of them has a
 * clock of its own.
 */
export interface RotationState {
  /** How often the refresh token was rotated. */
  readonly generation: bigint;
  /**
   * How long ago each of the last rotations was, in milliseconds by the store's clock, the latest last; at
   * most four. Rotations that a store caught up with bear the time of the one that it made itself.
   */
  readonly rotationAgesMs: readonly number[];
  /** The id of the secret key of the current token. */
  readonly secretKeyId: string;
  /** Where the last rotation came from (see hashOrigin); null where that is not known. */
  readonly rotationOrigin: string | null;
}

/**
 * What the two stores' measures of one rotation may differ by: the way between them, their clocks.
 *
 * @internal for the tests, too
 */
export const clockSlackMs = 2000;

/**
 * What two stores know of a session together. The higher generation wins, the first one's of two that are
 * equal: tokens are derived, so it is the same session. The earlier time of a rotation wins, so that no grace
 * grows.
 */
export function mergeRotations(one: RotationState, other: RotationState): RotationState {
  const [ahead, behind] = other.generation > one.generation ? [other, one] : [one, other];
  const ages: number[] = [];
  for (let back = 0; back < rememberedRotations; back += 1) {
    const step = ahead.generation - BigInt(back);
    const known = [ageOf(ahead, step), ageOf(behind, step)].filter((age) => age !== undefined);
    if (known.length === 0) break;
    ages.unshift(Math.max(...known));
  }
  return { ...ahead, rotationAgesMs: ages };
}

/**
 * Whether the stores, neither knowing of the other, made the same rotation more than one grace apart: a
 * token was used a second time after it had been rotated out.
 */
export function haveDiverged(one: RotationState, other: RotationState, graceMs: number): boolean {
  return one.rotationAgesMs.some((_, index) => {
    const step = one.generation - BigInt(one.rotationAgesMs.length - 1 - index);
    const [age, otherAge] = [decidedAgeOf(one, step), decidedAgeOf(other, step)];
    if (age === undefined || otherAge === undefined) return false;
    return Math.abs(age - otherAge) > graceMs + clockSlackMs;
  });
}

/** How long ago the rotation to a generation was; undefined where that is not remembered. */
function ageOf({ generation, rotationAgesMs }: RotationState, step: bigint): number | undefined {
  const behind = generation - step;
  if (behind < 0n || behind >= BigInt(rotationAgesMs.length)) return undefined;
  return rotationAgesMs.at(-1 - Number(behind));
}

/** The same, for a rotation that the store made; undefined also for one that it only caught up with. */
function decidedAgeOf(state: RotationState, step: bigint): number | undefined {
  const age = ageOf(state, step);
  return age === ageOf(state, step + 1n) ? undefined : age;
}
