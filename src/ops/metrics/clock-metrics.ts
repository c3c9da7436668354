import { Gauge, type Registry } from "prom-client";

/** What tells how far this machine's clock is from PostgreSQL's. */
export interface ClockMetrics {
  /** @param seconds how far it is ahead; negative where it is behind */
  onSkew(seconds: number): void;
}

/** Registers the metrics of the clock. */
export function createClockMetrics(registry: Registry): ClockMetrics {
  const skew = new Gauge({
    name: "countersign_clock_skew_seconds",
    help: "How far this instance's clock is ahead of PostgreSQL's, looked at every 30 s; negative where it is behind. Verifiers of tokens allow 60 s.",
    registers: [registry],
  });
  return { onSkew: (seconds) => skew.set(seconds) };
}
