import type { BucketRate, BucketState } from "./gcra.ts";

/** Where buckets are kept. */
export interface Buckets {
  /** Charges a bucket, in one step. @throws AppError unavailable */
  charge(key: string, rate: BucketRate): Promise<BucketState>;
  /** Takes a charge back. @param charged what the charge answered @throws AppError unavailable */
  refund(key: string, rate: BucketRate, charged: BucketState): Promise<void>;
}
