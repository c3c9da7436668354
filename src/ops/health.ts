import { performance } from "node:perf_hooks";
import { failureClasses } from "./failure-classes.ts";
import { type CheckLoop, type CheckReport, createCheckLoop, type HealthCheck } from "./check-loop.ts";

/** The phases of the service's life. It takes requests only while `serving`. */
export type Phase = "starting" | "serving" | "draining";

/** Whether requests should be sent here, and if not, why. */
export interface Readiness {
  readonly ready: boolean;
  readonly phase: Phase;
  /** The names of the checks that gate readiness and are not ok. */
  readonly failing: readonly string[];
}

/** The part of a logger that health uses. */
export interface HealthLog {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
}

/** What health is built from. */
export interface HealthOptions {
  readonly checks: readonly HealthCheck[];
  /** Milliseconds since the epoch from a clock that never jumps; the process's own by default. */
  readonly now?: () => number;
  readonly log: HealthLog;
}

/**
 * What the service knows about its own health. Every answer comes from the last results of checks that
 * run in the background: asking is cheap, and never reaches a dependency.
 */
export interface Health {
  /** Starts the checks. Each runs at once, then once per period. */
  start(): void;
  /** Stops the checks for good. The phase stays as it is. */
  stop(): void;
  /** Sets the phase. `draining` is final: later phases are ignored. */
  setPhase(phase: Phase): void;
  /** Whether the process runs. It checks nothing, so it is true whenever it answers. */
  livez(): boolean;
  /** Whether `serving` was ever reached. */
  startupz(): boolean;
  phase(): Phase;
  /** Whether requests should be sent here now. */
  readyz(): Readiness;
  /** Every check, in the order given. */
  report(): readonly CheckReport[];
  /**
   * Calls the listener after each change of readiness or phase, until the function returned is
   * called. A listener must not throw.
   */
  onChange(listener: (readiness: Readiness) => void): () => void;
}

/** Creates health in the phase `starting`, with no check running yet. */
export function createHealth({ checks, now = steadyNow, log }: HealthOptions): Health {
  const loops = createLoops(checks, now, () => settle());
  const listeners = new Set<(readiness: Readiness) => void>();
  const logCheckChanges = createCheckChangeLog(log);
  let phase: Phase = "starting";
  let started = false;
  let told: Readiness = { ready: false, phase, failing: [] };

  const report = (): readonly CheckReport[] => loops.map((loop) => loop.report());

  function readyz(): Readiness {
    const failing = report()
      .filter((check) => check.gatesReadiness && check.status !== "ok")
      .map((check) => check.name);
    return { ready: phase === "serving" && failing.length === 0, phase, failing };
  }

  function settle(): void {
    logCheckChanges(report());
    const before = told;
    told = readyz();
    if (told.ready !== before.ready) {
      logReadiness(log, told);
    }
    if (told.ready !== before.ready || told.phase !== before.phase) {
      for (const listener of listeners) {
        listener(told);
      }
    }
  }

  return {
    start: () => loops.forEach((loop) => loop.start()),
    stop: () => loops.forEach((loop) => loop.stop()),
    setPhase(next) {
      phase = phase === "draining" ? phase : next;
      started ||= phase === "serving";
      settle();
    },
    livez: () => true,
    startupz: () => started,
    phase: () => phase,
    readyz,
    report,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function createLoops(checks: readonly HealthCheck[], now: () => number, onResult: () => void): CheckLoop[] {
  if (new Set(checks.map((check) => check.name)).size < checks.length) {
    throw new Error("Two health checks have the same name.");
  }
  return checks.map((check) => createCheckLoop(check, { now, onResult }));
}

function createCheckChangeLog(log: HealthLog): (reports: readonly CheckReport[]) => void {
  const healthy = new Map<string, boolean>();
  return (reports) => {
    for (const { name, status, message } of reports) {
      const ok = status === "ok";
      const changed = ok !== (healthy.get(name) ?? true);
      if (status === "pending" || !changed) {
        continue;
      }
      healthy.set(name, ok);
      if (ok) {
        log.info({ check: name, status }, "health check recovered");
      } else {
        const advice = message === null ? null : failureClasses[message];
        log.warn({ check: name, status, failure: message, advice }, "health check failed");
      }
    }
  };
}

function logReadiness(log: HealthLog, { ready, phase, failing }: Readiness): void {
  if (ready) {
    log.info({ phase }, "ready");
  } else if (phase === "draining") {
    log.info({ phase }, "not ready");
  } else {
    log.warn({ phase, failing }, "not ready");
  }
}

/** Wall time at the start, and monotonic from then on: setting the clock back must not keep an old result fresh. */
function steadyNow(): number {
  return performance.timeOrigin + performance.now();
}
