import { Counter, Gauge, type Registry } from "prom-client";

/** The metrics of the workers. */
export interface WorkerMetrics {
  /** One has ended by itself. */
  onLost(): void;
  /** Where their numbers are read from at each scrape. */
  watch(read: { configured: number; ready(): number }): void;
}

/** Registers the metrics of the workers. */
export function createWorkerMetrics(registry: Registry): WorkerMetrics {
  const registers = [registry];
  let source: { configured: number; ready(): number } | null = null;
  const losses = new Counter({
    name: "countersign_worker_losses_total",
    help: "How often a worker ended unexpectedly. It is started again; its connections were lost.",
    registers,
  });
  const workers = new Gauge({
    name: "countersign_workers",
    help: "The processes that serve the public port, where WORKERS is more than 1: as many as are configured, and as many as are ready.",
    labelNames: ["state"] as const,
    registers,
    collect() {
      if (source === null) return;
      workers.set({ state: "configured" }, source.configured);
      workers.set({ state: "ready" }, source.ready());
    },
  });
  return {
    onLost: () => losses.inc(),
    watch(read) {
      source = read;
    },
  };
}
