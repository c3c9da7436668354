import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { JobObserver } from "../job-runner.ts";

/** Seconds: most jobs take milliseconds; the deletion of old rows may take minutes. */
const buckets = [0.005, 0.025, 0.1, 0.5, 2.5, 10, 60];

/** Counts and times the periodic work. */
export function createJobMetrics(registry: Registry): JobObserver {
  const registers = [registry];
  const runs = new Counter({
    name: "countersign_job_runs_total",
    help: "Runs of periodic jobs, by job and by whether they succeeded. A job that failed runs again when it is due.",
    labelNames: ["job", "outcome"] as const,
    registers,
  });
  const durations = new Histogram({
    name: "countersign_job_duration_seconds",
    help: "How long a run of a job took.",
    labelNames: ["job"] as const,
    buckets,
    registers,
  });
  const succeeded = new Gauge({
    name: "countersign_job_last_success_timestamp_seconds",
    help: "When a job last succeeded.",
    aggregator: "max",
    labelNames: ["job"] as const,
    registers,
  });
  return {
    onRun(job, isSuccess, seconds) {
      runs.inc({ job, outcome: isSuccess ? "ok" : "failed" });
      durations.observe({ job }, seconds);
      if (isSuccess) succeeded.setToCurrentTime({ job });
    },
  };
}
