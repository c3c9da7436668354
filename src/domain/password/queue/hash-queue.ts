import { AppError } from "../../../errors/app-error.ts";
import { type Events, noEvents } from "../../events.ts";
import type { Admission, Lane, RefusalCause } from "./admission.ts";
import { createHashLanes, type HashLanes } from "./hash-lanes.ts";
import { createServiceRate } from "./service-rate.ts";

/**
 * Admits password hashes: at most so many at once, at most so many waiting, each for at most so long, and
 * callers take turns. A refusal is AppError overloaded, with the time to come back in that the measured
 * rate suggests; who has gone gets the reason of the signal.
 */
export interface HashQueue {
  /** Runs a hash when its turn has come. */
  run<T>(task: () => Promise<T>, admission: Admission): Promise<T>;
  /** Refuses now what `run` would refuse, before anything else is spent on it. */
  requireRoom(admission: Admission): void;
  /** How many wait in a lane. */
  countWaiting(lane: Lane): number;
  /** How many run. */
  countRunning(): number;
}

/** The bounds of a queue. */
export interface HashQueueOptions {
  /** Hashes at once. */
  readonly concurrency: number;
  /** Hashes that wait, in both lanes together. */
  readonly queueMax: number;
  /** How long one may wait. Milliseconds. */
  readonly waitMaxMs: number;
  /** Nobody hears of what happens by default. */
  readonly events?: Events;
}

interface Waiter {
  readonly admission: Admission;
  start(): void;
  refuse(cause: RefusalCause): void;
}

/** Creates a queue. */
export function createHashQueue(options: HashQueueOptions): HashQueue {
  const { concurrency, queueMax, waitMaxMs, events = noEvents } = options;
  const lanes = createHashLanes<Waiter>(queueMax);
  const rate = createServiceRate(concurrency);
  let running = 0;

  const findRefusal = (admission: Admission): RefusalCause | null => {
    if (running < concurrency) return null;
    if (lanes.hasItsShare(admission)) return "share";
    if (lanes.isFull(admission.lane) && lanes.findCrowder(admission) === null) return "queue_full";
    const ahead = lanes.countAhead(admission);
    const leftMs = (admission.expiresAt ?? Number.POSITIVE_INFINITY) - performance.now();
    // Half of the limit: a machine that slows down meanwhile lets nobody wait in vain.
    const late = rate.startsInMs(ahead) > waitMaxMs / 2 || rate.endsInMs(ahead) > leftMs;
    return late ? "deadline" : null;
  };

  const refusal = (admission: Admission, cause: RefusalCause): Error => {
    events.emit("hash.refused", { lane: admission.lane, cause });
    // Whoever aborts says why, with an Error.
    if (cause === "cancelled") return admission.signal?.reason as Error;
    // Who has its share already is told how long that takes: a flood moves nobody else's return.
    const returnMs =
      cause === "share"
        ? rate.startsInMs(lanes.countAhead(admission))
        : rate.scheduleReturnMs(lanes.countWaiting() + 1, performance.now());
    const detail = "Too many logins are under way. Try again later.";
    return new AppError("overloaded", detail, { retryAfterMs: Math.ceil(returnMs) });
  };

  const requireRoom = (admission: Admission): void => {
    admission.signal?.throwIfAborted();
    const cause = findRefusal(admission);
    if (cause !== null) throw refusal(admission, cause);
  };

  const admit = async (admission: Admission): Promise<void> => {
    requireRoom(admission);
    if (running < concurrency) {
      running += 1;
      return;
    }
    if (lanes.isFull(admission.lane)) lanes.findCrowder(admission)?.refuse("share");
    await wait(lanes, admission, waitMaxMs, (cause) => refusal(admission, cause));
  };

  // A place is handed on, never given back while somebody waits: nobody can slip in between.
  const release = (): void => {
    const next = lanes.takeNext();
    if (next === undefined) running -= 1;
    else next.start();
  };

  return {
    async run(task, admission) {
      const askedAt = performance.now();
      await admit(admission);
      const startedAt = performance.now();
      events.emit("hash.started", { lane: admission.lane, waitedMs: startedAt - askedAt });
      try {
        const result = await task();
        // What failed says nothing of how long a hash takes.
        rate.record(performance.now() - startedAt);
        return result;
      } finally {
        events.emit("hash.ended", performance.now() - startedAt);
        release();
      }
    },
    requireRoom,
    countWaiting: (lane) => lanes.countWaiting(lane),
    countRunning: () => running,
  };
}

/** Waits for a turn. @throws what `refusal` makes of the cause, where none comes */
function wait(
  lanes: HashLanes<Waiter>,
  admission: Admission,
  waitMaxMs: number,
  refusal: (cause: RefusalCause) => Error,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      lanes.remove(waiter);
      clearTimeout(timer);
      admission.signal?.removeEventListener("abort", onAbort);
    };
    const waiter: Waiter = {
      admission,
      start() {
        leave();
        resolve();
      },
      refuse(cause) {
        leave();
        reject(refusal(cause));
      },
    };
    const onAbort = (): void => waiter.refuse("cancelled");
    const timer = setTimeout(() => waiter.refuse("deadline"), waitMaxMs);
    admission.signal?.addEventListener("abort", onAbort, { once: true });
    lanes.add(waiter);
  });
}
