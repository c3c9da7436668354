import {
  type Aggregator,
  AggregatorRegistry,
  type MetricObjectWithValues,
  type MetricValue,
} from "prom-client";

/** The metrics of one process, as prom-client tells them: what can be sent to another process. */
export type MetricSnapshot = readonly MetricObjectWithValues<MetricValue<string>>[];

/** How one value is made of those of several processes. @internal */
export function aggregatorOf({ name, aggregator }: { name: string; aggregator?: Aggregator }): Aggregator {
  return own[name] ?? aggregator ?? "sum";
}

/** For prom-client's own, where the worst of several processes is what an operator looks for. */
const own: Readonly<Record<string, Aggregator>> = {
  process_start_time_seconds: "first",
  process_open_fds: "max",
  process_max_fds: "min",
  nodejs_eventloop_lag_seconds: "max",
  nodejs_eventloop_lag_mean_seconds: "max",
  nodejs_eventloop_lag_stddev_seconds: "max",
  nodejs_eventloop_lag_p50_seconds: "max",
  nodejs_eventloop_lag_p90_seconds: "max",
  nodejs_eventloop_lag_p99_seconds: "max",
};

/**
 * The metrics of several processes in one: sums, unless a metric says otherwise (`aggregator`).
 *
 * @param snapshots that of the supervisor first
 */
export async function sumMetrics(
  snapshots: readonly MetricSnapshot[],
): Promise<{ text: string; sum: MetricSnapshot }> {
  const prepared = snapshots.map((snapshot) =>
    snapshot.map((metric) => ({ ...metric, aggregator: aggregatorOf(metric) })),
  );
  const registry = AggregatorRegistry.aggregate(prepared);
  return { text: await registry.metrics(), sum: await registry.getMetricsAsJSON() };
}

/** What stays counted of processes that have ended: their counters and histograms, which must never fall. */
export async function sumOfEnded(snapshots: readonly MetricSnapshot[]): Promise<MetricSnapshot> {
  const kept = snapshots.map((snapshot) => snapshot.filter(({ type }) => isCounted(String(type))));
  return (await sumMetrics(kept)).sum;
}

function isCounted(type: string): boolean {
  return type === "counter" || type === "histogram";
}
