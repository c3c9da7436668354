import { failureClass } from "./failure-class.ts";
import type { FailureClass } from "./failure-classes.ts";

const defaultPeriodMs = 1000;
const defaultTimeoutMs = 800;
const expiryPeriods = 3;
const jitterShare = 0.1;

/** A check on something that the service depends on. */
export interface HealthCheck {
  /** Unique, in lower case, as reports show it: `postgres`. */
  readonly name: string;
  /** Whether the service is unready while this check is not ok. */
  readonly gatesReadiness: boolean;
  /** The first run waits for it; at once by default. */
  readonly startsAfter?: Promise<unknown>;
  /** From one start to the next, in milliseconds; 1000 by default. Up to a tenth is taken off at random. */
  readonly periodMs?: number;
  /** How long one run may take, in milliseconds; 800 by default. A longer one counts as failed. */
  readonly timeoutMs?: number;
  /**
   * Resolves when the dependency serves, rejects when it does not. The signal aborts at the timeout
   * and when the checks are stopped. A run has to settle soon after that: until it does, the check
   * stays failed and no other run starts.
   */
  run(signal: AbortSignal): Promise<void>;
}

/** pending: no run has ended yet. expired: the last run was ok, but too long ago. */
export type CheckStatus = "ok" | "failed" | "expired" | "pending";

/** What is known of one check. Holds nothing secret. */
export interface CheckReport {
  readonly name: string;
  readonly status: CheckStatus;
  readonly gatesReadiness: boolean;
  /** When a run last ended well, in milliseconds since the epoch; null before the first time. */
  readonly lastOkAt: number | null;
  /** How long the last run took, in milliseconds; null before the first has ended. */
  readonly latencyMs: number | null;
  /** The kind of failure, in fixed words; null unless the status is failed. */
  readonly message: FailureClass | null;
}

/** One check, run again and again in the background. */
export interface CheckLoop {
  /** Runs the check now, or when its time has come, and then once per period. */
  start(): void;
  /** Ends it for good and aborts a run under way. */
  stop(): void;
  /** From the last result; runs nothing. */
  report(): CheckReport;
}

/** What a loop needs beside its check. */
export interface CheckLoopOptions {
  /** Milliseconds, from a clock that never jumps back. */
  readonly now: () => number;
  /** Called after each result, and when a result has expired. */
  readonly onResult: () => void;
}

interface Result {
  readonly at: number;
  readonly latencyMs: number;
  readonly failure: FailureClass | null;
}

/** Creates a loop for one check. A good result expires after three periods (or timeouts, if longer). */
export function createCheckLoop(check: HealthCheck, { now, onResult }: CheckLoopOptions): CheckLoop {
  const { periodMs = defaultPeriodMs, timeoutMs = defaultTimeoutMs } = check;
  requireUsable(check.name, periodMs, timeoutMs);
  const expiryMs = expiryPeriods * Math.max(periodMs, timeoutMs);
  let result: Result | null = null;
  let lastOkAt: number | null = null;
  let running: AbortController | null = null;
  let overdue = false;
  let started = false;
  let stopped = false;
  let tickTimer: NodeJS.Timeout | undefined;
  let expiryTimer: NodeJS.Timeout | undefined;

  function tick(): void {
    tickTimer = later(tick, periodMs * (1 - jitterShare * Math.random()));
    // Never two at once: a dependency that hangs must not gather connections.
    if (running === null) {
      void runOnce();
    } else {
      overdue = true;
    }
  }

  async function runOnce(): Promise<void> {
    const run = new AbortController();
    const startedAt = now();
    running = run;
    const timeout = later(() => {
      if (!run.signal.aborted) {
        record(startedAt, "timed out");
        run.abort();
      }
    }, timeoutMs);
    const failure = await outcome(check, run.signal);
    clearTimeout(timeout);
    running = null;
    if (!run.signal.aborted) record(startedAt, failure);
    if (overdue && !stopped) {
      overdue = false;
      void runOnce();
    }
  }

  function record(startedAt: number, failure: FailureClass | null): void {
    const at = now();
    result = { at, latencyMs: Math.round(at - startedAt), failure };
    lastOkAt = failure === null ? Math.round(at) : lastOkAt;
    clearTimeout(expiryTimer);
    // Timers may fire a millisecond early; by then the result has surely expired.
    expiryTimer = later(onResult, expiryMs + 2);
    onResult();
  }

  function status(): CheckStatus {
    if (result === null) {
      return "pending";
    }
    if (result.failure !== null) {
      return "failed";
    }
    return now() - result.at < expiryMs ? "ok" : "expired";
  }

  return {
    start() {
      if (started || stopped) return;
      started = true;
      if (check.startsAfter === undefined) tick();
      else void check.startsAfter.then(() => (stopped ? undefined : tick()));
    },
    stop() {
      stopped = true;
      clearTimeout(tickTimer);
      clearTimeout(expiryTimer);
      running?.abort();
    },
    report: () => ({
      name: check.name,
      status: status(),
      gatesReadiness: check.gatesReadiness,
      lastOkAt,
      latencyMs: result?.latencyMs ?? null,
      message: result?.failure ?? null,
    }),
  };
}

async function outcome(check: HealthCheck, signal: AbortSignal): Promise<FailureClass | null> {
  try {
    await check.run(signal);
    return null;
  } catch (error) {
    return failureClass(error);
  }
}

function requireUsable(name: string, periodMs: number, timeoutMs: number): void {
  if (!/^[a-z][a-z0-9_-]*$/.test(name)) {
    throw new Error("A health check's name is in lower case: letters, digits, _ and -.");
  }
  if (!(periodMs > 0) || !(timeoutMs > 0)) {
    throw new Error(`The health check ${name} needs a period and a timeout above 0 ms.`);
  }
}

/** A timer that does not keep the process alive. */
function later(action: () => void, delayMs: number): NodeJS.Timeout {
  return setTimeout(action, delayMs).unref();
}
