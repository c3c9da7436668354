import { setTimeout as sleep } from "node:timers/promises";
import type { HashEngine } from "./hash-work.ts";
import type { Scheduling } from "./step-back.ts";
import { startWorkerProcess, type WorkerProcess } from "./worker-process.ts";

/** Hashes in a separate process, which is started again when it ends. */
export interface HashingProcess extends HashEngine {
  /** The name of the implementation of Argon2id that is used. */
  readonly implementation: string;
  /** How the kernel runs them since then. */
  readonly scheduling: Scheduling;
  /** The id of the process that hashes now; that of the last one while there is none. */
  readonly pid: number;
  /**
   * Goes over to another implementation of Argon2id: a new process takes what comes from now on, and this one ends when
   * its hashes are done.
   *
   * @throws Error if the new one does not start; then nothing has changed
   */
  use(implementation: string): Promise<void>;
  /** Ends it for good. Running hashes are lost. */
  stop(): Promise<void>;
}

/** What the process is started with. */
export interface HashingOptions {
  /** Hashes at once. */
  readonly threads: number;
  /** The implementation of Argon2id; by default the one that is usually the fastest. */
  readonly implementation?: string;
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
  { threads, implementation: wanted, niceness }: HashingOptions,
  events: HashingProcessEvents,
): Promise<HashingProcess> {
  const start = (implementation: string | null) => startWorkerProcess({ threads, implementation, niceness });
  let last = await start(wanted ?? null);
  let current = Promise.resolve(last);
  const stopping = new AbortController();
  const retired = new WeakSet<WorkerProcess>();

  const restart = async (backoffMs: number): Promise<WorkerProcess> => {
    for (let waitMs = backoffMs; ; waitMs = Math.min(2 * waitMs, backoffMaxMs)) {
      await sleep(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return last;
      try {
        return await start(last.implementation);
      } catch (error) {
        events.onLost(error instanceof Error ? error.message : String(error));
      }
    }
  };

  const watch = async (worker: WorkerProcess, backoffMs: number): Promise<void> => {
    const startedAt = performance.now();
    const how = await worker.ended;
    if (stopping.signal.aborted || retired.has(worker)) return;
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
    get implementation() {
      return last.implementation;
    },
    get scheduling() {
      return last.scheduling;
    },
    get pid() {
      return last.pid;
    },
    run: async (work) => (await current).run(work),
    async use(implementation) {
      const next = await start(implementation);
      const before = await current;
      if (stopping.signal.aborted) {
        await next.stop();
        return;
      }
      retired.add(before);
      last = next;
      current = Promise.resolve(next);
      void watch(next, backoffMinMs);
      await before.retire();
    },
    async stop() {
      stopping.abort();
      await (await current).stop();
    },
  };
}
