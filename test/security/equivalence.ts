/** Two samples compared: the difference of their trimmed means, and how sure it is. */
export interface Comparison {
  /** The second less the first. */
  readonly difference: number;
  /** The difference lies within so much of it, with 90 % confidence (which makes both one-sided tests 5 %). */
  readonly margin: number;
}

/** The part of each tail that is left out. What delays a request delays it much, and only ever one way. */
const trimmed = 0.2;
/** The 95th percentile of the normal distribution; samples are large. */
const z = 1.645;

/** Compares by Yuen's method: means without their tails, and the errors from what the tails would have added. */
export function compare(first: readonly number[], second: readonly number[]): Comparison {
  const [one, other] = [summarize(first), summarize(second)];
  return { difference: other.mean - one.mean, margin: z * Math.sqrt(one.squaredError + other.squaredError) };
}

/** Two one-sided tests: whether the difference is surely less than the bound, either way. */
export function isEquivalent({ difference, margin }: Comparison, bound: number): boolean {
  return Math.abs(difference) + margin < bound;
}

/** Whether there surely is a difference, and it is not surely less than the bound. */
export function isFound(comparison: Comparison, bound: number): boolean {
  return Math.abs(comparison.difference) > comparison.margin && !isEquivalent(comparison, bound);
}

function summarize(values: readonly number[]): { mean: number; squaredError: number } {
  const sorted = values.toSorted((one, other) => one - other);
  const cut = Math.floor(trimmed * sorted.length);
  const kept = sorted.slice(cut, sorted.length - cut);
  const [low = 0, high = 0] = [kept[0], kept.at(-1)];
  const winsorized = sorted.map((value) => Math.min(high, Math.max(low, value)));
  const deviations = squaredDeviations(winsorized);
  return { mean: mean(kept), squaredError: deviations / (kept.length * (kept.length - 1)) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function squaredDeviations(values: readonly number[]): number {
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
}
