import type { BucketRate, BucketState } from "./gcra.ts";

/** Where buckets are kept. */
export interface Buckets {
  /**
   * Charges a bucket, in one step.
   *
   * @param isTrial whether the charge is under way until `refund` or `keep` ends it
   * @throws AppError unavailable
   */
  charge(key: string, rate: BucketRate, isTrial: boolean): Promise<BucketState>;
  /** Takes a charge back. @param charged what the charge answered @throws AppError unavailable */
  refund(key: string, rate: BucketRate, charged: BucketState): Promise<void>;
  /** Lets a charge stand that was under way. @throws AppError unavailable */
  keep(key: string, charged: BucketState): Promise<void>;
}
