import { collectDefaultMetrics, Registry } from "prom-client";

/** Where the metrics of the service are registered and read. Each file beside this one adds those of its topic. */
export interface Metrics {
  readonly registry: Registry;
  /** All metrics in Prometheus' text format 0.0.4. */
  read(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** Creates the registry, with the figures of the process and of the event loop in it. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    read: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}
