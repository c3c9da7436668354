import { Gauge, type Registry } from "prom-client";
import type { Health, Phase } from "../health.ts";

/** The part of health that is measured. */
export type MeasuredHealth = Pick<Health, "readyz" | "report">;

/** The metrics of health. */
export interface HealthMetrics {
  /** Where health is read from at each scrape. */
  watch(health: MeasuredHealth): void;
}

const phases: readonly Phase[] = ["starting", "serving", "draining"];

/** Registers the metrics of health. They are read from the last results, as the probes are. */
export function createHealthMetrics(registry: Registry): HealthMetrics {
  const registers = [registry];
  let health: MeasuredHealth | null = null;
  const ready = new Gauge({
    name: "countersign_ready",
    help: "1 if the instance is ready, as /readyz says; otherwise 0.",
    registers,
    collect() {
      if (health === null) return;
      const now = health.readyz();
      ready.set(now.ready ? 1 : 0);
      for (const each of phases) phase.set({ phase: each }, now.phase === each ? 1 : 0);
      for (const { name, status, latencyMs, lastOkAt } of health.report()) {
        checkOk.set({ check: name }, status === "ok" ? 1 : 0);
        if (latencyMs !== null) checkDuration.set({ check: name }, latencyMs / 1000);
        if (lastOkAt !== null) checkLastOk.set({ check: name }, lastOkAt / 1000);
      }
    },
  });
  const phase = new Gauge({
    name: "countersign_phase",
    help: "1 for the phase that the instance is in: starting, serving or draining; 0 for the others.",
    labelNames: ["phase"] as const,
    registers,
  });
  const labelNames = ["check"] as const;
  const checkOk = new Gauge({
    name: "countersign_check_ok",
    help: "1 if the last result of a health check is good and not too old; otherwise 0. /healthz?verbose on the private port says why.",
    labelNames,
    registers,
  });
  const checkDuration = new Gauge({
    name: "countersign_check_duration_seconds",
    help: "How long the last run of a health check took.",
    labelNames,
    registers,
  });
  const checkLastOk = new Gauge({
    name: "countersign_check_last_ok_timestamp_seconds",
    help: "When a health check last ended well.",
    labelNames,
    registers,
  });
  return {
    watch(source) {
      health = source;
    },
  };
}
