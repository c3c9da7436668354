import type { BucketCharge, Buckets, BucketSettlement } from "./buckets.ts";
import {
  type BucketState,
  chargeBucket,
  noneUnderWay,
  refundBucket,
  trialUsMax,
  type UnderWay,
} from "./gcra.ts";

/** Buckets in this process. They answer at once. */
export interface MemoryBuckets {
  /** Charges a bucket. */
  charge(charge: BucketCharge): BucketState;
  /** Settles a charge: takes it back, or lets it stand. */
  settle(settlement: BucketSettlement): void;
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
  readonly key: string;
  emptyAtUs: number;
  underWay: UnderWay;
  /** How long a full bucket takes to empty. */
  capacityUs: number;
  /** Its place in the list. */
  place: number;
}

/** How many are looked at, at random, with each new one: so that what is empty goes faster than new ones come. */
const lookedAt = 3;
/** And for one to be forgotten. */
const lookedAtWhenFull = 16;

/**
 * Keeps at most so many buckets. Empty ones are dropped as new ones come. Where all are in use, the least full
 * of a few is forgotten: a flood of new keys costs those with one charge their memory, and hardly ever frees
 * one that is full. Forgetting lets a caller through; refusing new keys would lock out everybody else.
 */
export function createMemoryBuckets(options: MemoryBucketsOptions): MemoryBuckets {
  const { bucketsMax, onForgotten, nowUs = steadyUs } = options;
  const byKey = new Map<string, Bucket>();
  // The same once more, to take one at random. Walking a Map from its start would step over all that was deleted.
  const list: Bucket[] = [];

  const add = (bucket: Omit<Bucket, "place">): void => {
    const placed = { ...bucket, place: list.length };
    byKey.set(bucket.key, placed);
    list.push(placed);
  };

  const drop = (bucket: Bucket): void => {
    byKey.delete(bucket.key);
    const last = list.pop();
    if (last === undefined || last === bucket) return;
    last.place = bucket.place;
    list[bucket.place] = last;
  };

  /** Drops what is empty among a few, and answers the least full of the others. */
  const lookAt = (count: number, now: number): Bucket | null => {
    let least: Bucket | null = null;
    let leastFullness = Infinity;
    const { length } = list;
    for (let look = 0; look < count; look += 1) {
      // Of a short list all, of a long one any.
      const place = length <= count ? length - 1 - look : Math.floor(Math.random() * list.length);
      const bucket = list[place];
      if (bucket === undefined) break;
      const fullness = (bucket.emptyAtUs - now) / bucket.capacityUs;
      if (fullness <= 0) drop(bucket);
      else if (fullness < leastFullness) [least, leastFullness] = [bucket, fullness];
    }
    return least;
  };

  const makeRoom = (now: number): void => {
    const isFull = list.length >= bucketsMax;
    const least = lookAt(isFull ? lookedAtWhenFull : lookedAt, now);
    if (list.length < bucketsMax || least === null) return;
    drop(least);
    onForgotten();
  };

  return {
    get size() {
      return list.length;
    },
    charge({ key, rate, isTrial }) {
      const now = nowUs();
      const bucket = byKey.get(key);
      const state = chargeBucket(bucket?.emptyAtUs ?? 0, now, rate, bucket?.underWay, isTrial);
      const { allowed, emptyAtUs, underWay: count } = state;
      const capacityUs = rate.intervalUs * rate.burst;
      const untilUs = isTrial ? now + trialUsMax : (bucket?.underWay.untilUs ?? 0);
      const charged = { emptyAtUs, capacityUs, underWay: underWayOf(count, untilUs) };
      if (allowed && bucket === undefined) {
        makeRoom(now);
        add({ key, ...charged });
      } else if (allowed && bucket !== undefined) {
        Object.assign(bucket, charged);
      }
      return state;
    },
    settle({ key, refundUs, emptyAtUs }) {
      const bucket = byKey.get(key);
      if (bucket === undefined) return;
      const now = nowUs();
      const { count, untilUs } = bucket.underWay;
      bucket.underWay = underWayOf(count - 1, untilUs);
      bucket.emptyAtUs = refundBucket(bucket.emptyAtUs, now, { intervalUs: refundUs }, emptyAtUs);
      if (bucket.emptyAtUs <= now) drop(bucket);
    },
  };
}

/** One object for all buckets that have none: most have. */
function underWayOf(count: number, untilUs: number): UnderWay {
  return count > 0 ? { count, untilUs } : noneUnderWay;
}

function steadyUs(): number {
  return Math.floor(performance.now() * 1000);
}

/** The same by the interface of every store. */
export function asBuckets(memory: MemoryBuckets): Buckets {
  return {
    async charge(charges) {
      const states: BucketState[] = [];
      for (const one of charges) {
        const state = memory.charge(one);
        states.push(state);
        if (!state.allowed) break;
      }
      return states;
    },
    async settle(settlements) {
      for (const one of settlements) memory.settle(one);
    },
  };
}
