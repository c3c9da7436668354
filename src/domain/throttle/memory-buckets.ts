import type { Buckets } from "./buckets.ts";
import { type BucketRate, chargeBucket, refundBucket } from "./gcra.ts";

/** Buckets in this process. */
export interface MemoryBuckets extends Buckets {
  /** How many are kept now. */
  readonly size: number;
}

/** What the memory is limited by, and told to. */
export interface MemoryBucketsOptions {
  readonly bucketsMax: number;
  /** A bucket that was not yet empty has been forgotten, to make room. */
  readonly onForgotten: () => void;
  /** A steady clock, in whole microseconds. */
  readonly nowUs?: () => number;
}

interface Bucket {
  readonly emptyAtUs: number;
  /** How long a full bucket takes to empty. */
  readonly capacityUs: number;
}

/** How many of the oldest are looked at to find one that can be forgotten. */
const candidates = 16;

/**
 * Keeps at most so many buckets. Empty ones are dropped as new ones come. Where all are in use, the least full
 * of the oldest is forgotten: a flood of new keys costs those with one charge their memory, and hardly ever
 * frees one that is full. Forgetting lets a caller through; refusing new keys would lock out everybody else.
 */
export function createMemoryBuckets(options: MemoryBucketsOptions): MemoryBuckets {
  const { bucketsMax, onForgotten, nowUs = steadyUs } = options;
  // The order is that of the last charge: the oldest first.
  const buckets = new Map<string, Bucket>();

  const keep = (key: string, emptyAtUs: number, rate: BucketRate): void => {
    buckets.delete(key);
    buckets.set(key, { emptyAtUs, capacityUs: rate.intervalUs * rate.burst });
  };

  const makeRoom = (now: number): void => {
    let least: { readonly key: string; readonly fullness: number } | null = null;
    let looked = 0;
    for (const [key, { emptyAtUs, capacityUs }] of buckets) {
      looked += 1;
      const fullness = Math.max(0, emptyAtUs - now) / capacityUs;
      if (fullness === 0) buckets.delete(key);
      else if (least === null || fullness < least.fullness) least = { key, fullness };
      if (looked === candidates) break;
    }
    if (buckets.size < bucketsMax || least === null) return;
    buckets.delete(least.key);
    onForgotten();
  };

  return {
    get size() {
      return buckets.size;
    },
    charge(key, rate) {
      const now = nowUs();
      const state = chargeBucket(buckets.get(key)?.emptyAtUs ?? 0, now, rate);
      if (state.allowed) {
        if (!buckets.has(key)) makeRoom(now);
        keep(key, state.emptyAtUs, rate);
      }
      return Promise.resolve(state);
    },
    refund(key, rate, charged) {
      const bucket = buckets.get(key);
      if (bucket === undefined) return Promise.resolve();
      const now = nowUs();
      const emptyAtUs = refundBucket(bucket.emptyAtUs, now, rate, charged.emptyAtUs);
      if (emptyAtUs <= now) buckets.delete(key);
      else buckets.set(key, { ...bucket, emptyAtUs });
      return Promise.resolve();
    },
  };
}

function steadyUs(): number {
  return Math.floor(performance.now() * 1000);
}
