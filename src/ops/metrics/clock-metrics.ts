import { Gauge, type Registry } from "prom-client";

/** Registers the metric of the clock. @param clock what is read at each scrape */
export function createClockMetrics(registry: Registry, clock: { skewMs(): number }): void {
  const skew = new Gauge({
    name: "countersign_clock_skew_seconds",
    help: "How far the database's clock is ahead of this process's, as last measured (every 10 s). Tokens use the database's clock. Beyond 5 s in either direction the check `clock` fails, and verifiers elsewhere may refuse fresh tokens.",
    aggregator: "first",
    registers: [registry],
    collect() {
      skew.set(clock.skewMs() / 1000);
    },
  });
}
