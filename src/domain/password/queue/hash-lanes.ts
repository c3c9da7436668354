import type { Admission, Lane } from "./admission.ts";
import { createFairQueue, type FairQueue } from "./fair-queue.ts";

/** Somebody who waits. */
interface Waiter {
  readonly admission: Admission;
}

/** The places of a hash queue: a fair queue for each lane, and their bounds. */
export interface HashLanes<T extends Waiter> {
  countWaiting(lane?: Lane): number;
  /** Whether a key has all the places of a lane that one key can have. */
  hasItsShare(admission: Admission): boolean;
  /** Whether there is no place for a newcomer. */
  isFull(lane: Lane): boolean;
  /** Who has to go for a newcomer: the last of a key that takes more room even once the newcomer is in. */
  findCrowder(admission: Admission): T | null;
  /** How many are done before a newcomer is, at most, itself included. */
  countAhead(admission: Admission): number;
  add(waiter: T): void;
  remove(waiter: T): void;
  /** Takes out whose turn it is: of either lane in turn, while both have somebody. */
  takeNext(): T | undefined;
}

/** The part of the places that is kept for known devices, and the most of them all that one key can have. */
const share = 0.25;

/** @param placesMax in both lanes together */
export function createHashLanes<T extends Waiter>(placesMax: number): HashLanes<T> {
  const lanes: Readonly<Record<Lane, FairQueue<T>>> = {
    known_device: createFairQueue(),
    usual: createFairQueue(),
  };
  const usualMax = placesMax - Math.floor(placesMax * share);
  const perKeyMax = Math.max(1, Math.ceil(placesMax * share));
  let turn: Lane = "known_device";

  const countWaiting = (lane?: Lane): number =>
    lane === undefined ? lanes.usual.size + lanes.known_device.size : lanes[lane].size;

  return {
    countWaiting,
    hasItsShare: ({ lane, key }) => lanes[lane].lengthOf(key) >= perKeyMax,
    isFull: (lane) => countWaiting() >= placesMax || (lane === "usual" && lanes.usual.size >= usualMax),
    findCrowder({ lane, key }) {
      // Each has one: nobody takes more room.
      if (lanes[lane].size === lanes[lane].keyCount) return null;
      const last = lanes[lane].findLastOfLongest();
      return last !== undefined && last.length > lanes[lane].lengthOf(key) + 1 ? last.entry : null;
    },
    countAhead({ lane, key }) {
      const queue = lanes[lane];
      // A round serves each key once, and a newcomer's turn comes in the round after its key's others.
      const rounds = queue.lengthOf(key) + 1;
      const keys = queue.keyCount + (rounds === 1 ? 1 : 0);
      const inLane = Math.min(queue.size + 1, rounds * keys);
      return inLane + Math.min(inLane, lanes[otherThan(lane)].size);
    },
    add(waiter) {
      lanes[waiter.admission.lane].add(waiter.admission.key, waiter);
    },
    remove(waiter) {
      lanes[waiter.admission.lane].remove(waiter.admission.key, waiter);
    },
    takeNext() {
      const first = turn;
      turn = otherThan(first);
      return lanes[first].takeNext() ?? lanes[turn].takeNext();
    },
  };
}

function otherThan(lane: Lane): Lane {
  return lane === "usual" ? "known_device" : "usual";
}
