import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../../ops/logger.ts";
import type { WorkerHandle } from "./worker-handle.ts";

/** What one worker's place needs of the crew. */
export interface Place {
  /** From 1 on. */
  readonly number: number;
  readonly log: Pick<Log, "info" | "error">;
  /** Starts a process, and resolves when it serves. @throws Error where it does not */
  start(): Promise<WorkerHandle>;
  /** It has ended by itself, and is about to be replaced. */
  onLost(): void;
  /** How many others serve. */
  othersServe(): number;
  /** Aborted when the crew is to serve no longer. */
  readonly signal: AbortSignal;
}

const backoffMinMs = 50;
const backoffMaxMs = 5_000;
/** If a worker lived this long, its end counts as a new failure and not as a repetition. */
const steadyMs = 60_000;
/** So many ends and failed starts in a row, while no other worker serves, and it is given up. */
const failuresMax = 8;

/**
 * Keeps a worker in its place: one that ends is started again, after a pause that grows.
 *
 * @returns when the crew is to serve no longer
 * @throws Error where none can be started, and no other worker serves
 */
export async function keepWorker(first: WorkerHandle, place: Place): Promise<void> {
  const { number, log, signal } = place;
  let worker: WorkerHandle | null = first;
  let failures = 0;
  while (!signal.aborted) {
    const since = performance.now();
    if (worker !== null) {
      const how = await worker.ended;
      if (signal.aborted) return;
      place.onLost();
      log.error({ worker: number, how }, "a worker has ended; it is started again");
    }
    failures = performance.now() - since > steadyMs ? 0 : failures;
    const waitMs = Math.min(backoffMinMs * 2 ** failures, backoffMaxMs);
    failures += 1;
    await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    worker = await start(place, failures);
    if (worker !== null) log.info({ worker: number }, "a worker serves again");
  }
}

/** Null where it is to be tried again. */
async function start(place: Place, failures: number): Promise<WorkerHandle | null> {
  try {
    return await place.start();
  } catch (error) {
    if (place.signal.aborted) return null;
    place.log.error({ worker: place.number, err: error }, "a worker could not be started; it is tried again");
    if (failures < failuresMax || place.othersServe() > 0) return null;
    throw new Error("no worker can be started; the log says why", { cause: error });
  }
}
