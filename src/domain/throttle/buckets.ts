import type { BucketRate, BucketState } from "./gcra.ts";

/** One charge of one bucket. */
export interface BucketCharge {
  readonly key: string;
  readonly rate: BucketRate;
  /** Whether the charge is under way until it is settled. */
  readonly isTrial: boolean;
}

/** What becomes of a charge. */
export interface BucketSettlement {
  readonly key: string;
  /** The interval of the bucket's rate where the charge is taken back; 0 where it stands. */
  readonly refundUs: number;
  /** When the bucket was to be empty right after the charge. */
  readonly emptyAtUs: number;
}

/** Where buckets are kept: in Redis for all instances, or in memory. */
export interface Buckets {
  /**
   * Charges buckets one after the other, up to the first that refuses.
   *
   * @returns the state of each that was asked: as many as there are charges, or fewer, and then the last has refused
   * @throws AppError unavailable
   */
  charge(charges: readonly BucketCharge[]): Promise<BucketState[]>;
  /** Settles charges: takes them back, or lets those stand that were under way. @throws AppError unavailable */
  settle(settlements: readonly BucketSettlement[]): Promise<void>;
}
