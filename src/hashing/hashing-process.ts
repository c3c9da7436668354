import { setTimeout as sleep } from "node:timers/promises";
import type { Argon2Report } from "./choose-argon2.ts";
import type { HashEngine } from "./hash-work.ts";
import type { Scheduling } from "./step-back.ts";
import { startWorkerProcess, type WorkerProcess } from "./worker-process.ts";

/** Hashes in a separate process, which is started again when it ends. */
export interface HashingProcess extends HashEngine {
  /** How the implementations did at the start. */
  readonly argon2: Argon2Report;
  /** How the kernel runs them since then. */
  readonly scheduling: Scheduling;
  /** The id of the process that hashes now; that of the last one while there is none. */
  readonly pid: number;
  /** Ends it for good. Running hashes are lost. */
  stop(): Promise<void>;
}

/** What the process is started with. */
export interface HashingOptions {
  /** Hashes at once. */
  readonly threads: number;
  /** The choice of the implementation; see chooseApart. */
  readonly argon2: Argon2Report;
  /** How far the threads that hash step back: 19 behind all else, 0 behind nothing. See stepBack. */
  readonly niceness: number;
}

/** Called when something happens to the process. */
export interface HashingProcessEvents {
  /** It has ended by itself; a new one is started. @param how in words */
  onLost(how: string): void;
  /** A new one runs. */
  onRestarted(): void;
}

const backoffMinMs = 50;
const backoffMaxMs = 5_000;
/** If a process lived this long, its end counts as a new failure and not as a repetition. */
const steadyMs = 60_000;

/**
 * Starts the process. When it ends, running hashes fail as `unavailable`. A hash that is requested while there is no
 * process waits for the next one.
 *
 * @throws Error if the first start fails
 */
export async function startHashingProcess(
  { threads, argon2, niceness }: HashingOptions,
  events: HashingProcessEvents,
): Promise<HashingProcess> {
  const options = { threads, implementation: argon2.implementation, niceness };
  let last = await startWorkerProcess(options);
  let current = Promise.resolve(last);
  const stopping = new AbortController();

  const restart = async (backoffMs: number): Promise<WorkerProcess> => {
    for (let waitMs = backoffMs; ; waitMs = Math.min(2 * waitMs, backoffMaxMs)) {
      await sleep(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return last;
      try {
        return await startWorkerProcess(options);
      } catch (error) {
        events.onLost(error instanceof Error ? error.message : String(error));
      }
    }
  };

  const watch = async (worker: WorkerProcess, backoffMs: number): Promise<void> => {
    const startedAt = performance.now();
    const how = await worker.ended;
    if (stopping.signal.aborted) return;
    events.onLost(how);
    const nextMs = performance.now() - startedAt > steadyMs ? backoffMinMs : backoffMs;
    current = restart(nextMs);
    last = await current;
    if (stopping.signal.aborted) return;
    events.onRestarted();
    void watch(last, Math.min(2 * nextMs, backoffMaxMs));
  };
  void watch(last, backoffMinMs);

  return {
    argon2,
    get scheduling() {
      return last.scheduling;
    },
    get pid() {
      return last.pid;
    },
    run: async (work) => (await current).run(work),
    async stop() {
      stopping.abort();
      await (await current).stop();
    },
  };
}
