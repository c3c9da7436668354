/**
 * The generic cell rate algorithm. A bucket is one number: the time at which it will be empty again, here
 * `emptyAtUs`. A charge puts that time off by one interval; it is refused where the bucket would then hold
 * more than its burst. Times are whole microseconds of the clock of whoever keeps the bucket.
 */

/** How fast a bucket empties, and how much it holds. */
export interface BucketRate {
  /** The time in which one charge drains. */
  readonly intervalUs: number;
  /** How many charges it holds. */
  readonly burst: number;
}

/** A bucket after a charge, or after the refusal of one. */
export interface BucketState {
  readonly allowed: boolean;
  /** When it was charged. */
  readonly nowUs: number;
  /** When the bucket will be empty, if nothing else is charged. */
  readonly emptyAtUs: number;
  /** How many of its charges are under way: each may yet be taken back. */
  readonly underWay: number;
}

/** Charges of a bucket that are under way. Who does not end one in time has gone without a word. */
export interface UnderWay {
  readonly count: number;
  readonly untilUs: number;
}

/** How long a charge counts as under way at most: longer than any call takes. */
export const trialUsMax = 60_000_000;

/** None of a bucket's charges. */
export const noneUnderWay: UnderWay = { count: 0, untilUs: 0 };

/**
 * Charges a bucket.
 *
 * @param emptyAtUs when it would be empty; 0 for one that is not kept, and so is empty
 * @param underWay those of its charges that are; of an empty bucket none counts
 * @param isTrial whether this charge is one of them from here on
 */
export function chargeBucket(
  emptyAtUs: number,
  nowUs: number,
  rate: BucketRate,
  underWay: UnderWay = noneUnderWay,
  isTrial = false,
): BucketState {
  const next = Math.max(emptyAtUs, nowUs) + rate.intervalUs;
  const allowed = next - nowUs <= rate.intervalUs * rate.burst;
  const before = emptyAtUs > nowUs && underWay.untilUs > nowUs ? underWay.count : 0;
  return {
    allowed,
    nowUs,
    emptyAtUs: allowed ? next : emptyAtUs,
    underWay: before + (allowed && isTrial ? 1 : 0),
  };
}

/** Whether a charge was refused that would have passed if those under way were taken back. */
export function awaitsOthers(state: BucketState, rate: BucketRate): boolean {
  const emptyAtUs = state.emptyAtUs - state.underWay * rate.intervalUs;
  return !state.allowed && waitUs({ ...state, emptyAtUs }, rate) === 0;
}

/**
 * Takes a charge back, as far as it has not drained by itself.
 *
 * @param chargedUntilUs the bucket's `emptyAtUs` right after the charge
 * @returns when the bucket will be empty
 */
export function refundBucket(
  emptyAtUs: number,
  nowUs: number,
  { intervalUs }: Pick<BucketRate, "intervalUs">,
  chargedUntilUs: number,
): number {
  return emptyAtUs - Math.min(intervalUs, Math.max(0, chargedUntilUs - nowUs));
}

/** How long until the next charge passes; 0 where one would pass now. */
export function waitUs(
  { nowUs, emptyAtUs }: Pick<BucketState, "nowUs" | "emptyAtUs">,
  { intervalUs, burst }: BucketRate,
): number {
  return Math.max(0, Math.max(emptyAtUs, nowUs) + intervalUs - nowUs - intervalUs * burst);
}

/** How many charges would pass now. */
export function remaining({ nowUs, emptyAtUs }: BucketState, { intervalUs, burst }: BucketRate): number {
  return Math.max(0, Math.floor(burst - Math.max(0, emptyAtUs - nowUs) / intervalUs));
}
