import type { Log } from "./logger.ts";

/** Work that is done periodically, without any request. */
export interface Job {
  /** `<noun>.<what it does>`: in log lines, and the label of its metrics. */
  readonly name: string;
  /** How long after a run has begun the next one is due; Infinity for a single run. */
  readonly everyMs: number;
  /** Does the work. An error is logged and counted, and the job runs again when it is due. */
  run(): Promise<unknown>;
  /** Whether the job also runs at the start; `awaited` delays the start until that run has ended. */
  readonly atStart?: "awaited" | "behind";
  /** Finishes what is left when the service stops, after the last run. */
  end?(): Promise<unknown>;
}

/** Counts and times runs. */
export interface JobObserver {
  onRun(job: string, succeeded: boolean, seconds: number): void;
}

/** Runs jobs until it is stopped. */
export interface JobRunner {
  /** Starts jobs. Resolves when the `awaited` jobs have run once, successfully or not. */
  start(jobs: readonly Job[]): Promise<void>;
  /** Starts no further run, waits for running ones, and lets each job finish what is left. */
  stop(): Promise<void>;
}

/**
 * Builds the one runner of periodic work. A job never overlaps itself; a failure of one disturbs no other. The first of
 * several failures in a row is logged, and so is the success after them.
 */
export function createJobRunner(log: Log, observer: JobObserver): JobRunner {
  const running = new Map<string, Promise<void>>();
  const failing = new Set<string>();
  const timers: NodeJS.Timeout[] = [];
  const started: Job[] = [];

  const attempt = async (name: string, work: () => Promise<unknown>): Promise<void> => {
    const startedAt = performance.now();
    const seconds = (): number => (performance.now() - startedAt) / 1000;
    try {
      await work();
      observer.onRun(name, true, seconds());
      if (failing.delete(name)) log.info({ job: name }, "a job succeeds again");
    } catch (error) {
      observer.onRun(name, false, seconds());
      if (!failing.has(name)) {
        log.warn({ job: name, err: error }, "a job failed; it will run again when it is due");
      }
      failing.add(name);
    }
  };

  const runOnce = (job: Job): Promise<void> => {
    const underWay = running.get(job.name);
    if (underWay !== undefined) return underWay;
    const run = attempt(job.name, () => job.run()).finally(() => running.delete(job.name));
    running.set(job.name, run);
    return run;
  };

  return {
    async start(jobs) {
      started.push(...jobs);
      await Promise.all(jobs.filter((job) => job.atStart === "awaited").map(runOnce));
      for (const job of jobs) {
        if (job.atStart === "behind") void runOnce(job);
        if (!Number.isFinite(job.everyMs)) continue;
        timers.push(setInterval(() => void runOnce(job), job.everyMs).unref());
      }
    },
    async stop() {
      for (const timer of timers.splice(0)) clearInterval(timer);
      await Promise.all(running.values());
      for (const job of started.splice(0).toReversed()) {
        if (job.end !== undefined) await attempt(job.name, async () => job.end?.());
      }
    },
  };
}
