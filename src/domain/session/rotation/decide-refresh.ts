/** How many of a session's rotations are remembered, and so the most that one grace can hold. */
export const rememberedRotations = 4;

/** What to do with a genuine refresh token of a live session. */
export type RefreshDecision =
  /** It is the current one: the counter moves on. */
  | "rotate"
  /** It was rotated out within the grace, or too many rotations were: the current one is the answer. */
  | "replay"
  /** It was rotated out before the grace, and the one that followed it was never shown: its answer was lost. */
  | "late"
  /** It was rotated out before the grace: somebody uses a token a second time. */
  | "reuse"
  /** It is newer than the store knows: the store lost a write, and the counter catches up. */
  | "catch_up";

/** The same, with `diverged`: the stores have made one rotation more than a grace apart (see haveDiverged). */
export type AdvanceDecision = RefreshDecision | "diverged";

const decisions: ReadonlySet<string> = new Set<AdvanceDecision>([
  "rotate",
  "replay",
  "late",
  "reuse",
  "catch_up",
  "diverged",
]);

/** Whether a text is one of these decisions. */
export function isDecision(text: string): text is AdvanceDecision {
  return decisions.has(text);
}

/** Whether a decision moves the counter on, so that a store has something new to keep. */
export function movesOn(decision: AdvanceDecision): boolean {
  return decision === "rotate" || decision === "catch_up";
}

/**
 * Decides what a presented generation means (RFC 9700 section 4.14.2).
 *
 * @param presented the generation in the token
 * @param current the store's generation
 * @param rotationAgesMs how long ago each of the last rotations was, by the store's clock, the latest last
 * @param graceMs how long a token is good for after it was rotated out; 0 for not at all
 * @param lateFrom the first generation whose parent gets a late answer; null for none. With a grace of 0 there is
 *   none either
 */
export function decideRefresh(
  presented: bigint,
  current: bigint,
  rotationAgesMs: readonly number[],
  graceMs: number,
  lateFrom: bigint | null = null,
): RefreshDecision {
  // By the clock of a statement that began a moment earlier a rotation may lie ahead, which is not "within 0".
  const isInGrace = (ageMs: number) => graceMs > 0 && ageMs < graceMs;
  if (presented > current) return "catch_up";
  if (presented === current) {
    const [oldest = Infinity] = rotationAgesMs.slice(-rememberedRotations);
    return rotationAgesMs.length >= rememberedRotations && isInGrace(oldest) ? "replay" : "rotate";
  }
  // The last age is that of the step to the current generation, the one before it of the step before.
  const behind = current - presented;
  const age = behind > BigInt(rotationAgesMs.length) ? Infinity : rotationAgesMs.at(-Number(behind));
  if (age !== undefined && isInGrace(age)) return "replay";
  // The current one was never shown, or it would not be the current one.
  const isLate = behind === 1n && graceMs > 0 && lateFrom !== null && current >= lateFrom;
  return isLate ? "late" : "reuse";
}
