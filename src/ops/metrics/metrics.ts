import { collectDefaultMetrics, Registry } from "prom-client";
import { type MetricSnapshot, sumMetrics } from "./sum.ts";

/*
 * Conventions, checked by `promtool check metrics` and test/ops/metrics:
 *
 * - `src/ops/metrics/<topic>-metrics.ts` holds the metrics of one topic and one function,
 *   `create<Topic>Metrics(registry)`, which returns the observer that the topic's part of the domain, or of a
 *   store, declares. It registers with `registers: [registry]`, never with prom-client's own.
 * - Names: `countersign_<topic>_<what>[_<unit>]`, snake_case. Units are base units: `_seconds`, `_bytes`,
 *   `_ratio`. `_total` ends a counter's name and no other. A point in time is `_timestamp_seconds`. A fact is a
 *   gauge `_info` of 1. A state is a gauge of 0 or 1 for each value.
 * - `help` is a sentence for operators; it says what a rise means. docs/metrics.md is made from it.
 * - Labels have values from a closed set that stands in the code: `rpc` from the table of RPCs
 *   (`countersign.v1.AuthService/Login`), `protocol` (`grpc`, `grpc-web`, `connect`, `rest`), `reason` from the
 *   registry of reasons or `ok`, `statement` by the names in the stores, `outcome`, `state`, `kind` of a few
 *   words in snake_case. Never anything that a caller chose: no path, name, address, id, header or error text.
 * - If the label values are few and known, their series are made at the start, at 0, so that `rate()` sees the
 *   first event as an increase.
 * - Histograms are classic, of seconds, with the buckets of `buckets.ts`: the same ones wherever the same kind
 *   of thing is measured, so that panels can lay them over one another.
 * - Hot paths hold on to `metric.labels(...)`: looking labels up costs more than counting. What every request counts
 *   is in `hot.ts`.
 * - With several workers one scrape gives the sums. A gauge that is no amount says by its `aggregator` what stands
 *   for all: `max` or `min`, whichever is worse, or `first`, the supervisor's.
 * - A value that can be read on demand (a queue's length, an age) is a gauge with `collect`; nothing runs
 *   between scrapes.
 */

/** Where the metrics of the service are registered and read. Each file beside this one adds those of its topic. */
export interface Metrics {
  readonly registry: Registry;
  /** All metrics in Prometheus' text format 0.0.4. */
  read(): Promise<{ readonly contentType: string; readonly body: string }>;
  /** Adds those of other processes from here on, whenever they are read. */
  join(others: () => Promise<readonly MetricSnapshot[]>): void;
}

/** Creates the registry, with the figures of the process and of the event loop in it. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of walksOfHandles) registry.removeSingleMetric(name);
  let readOthers: (() => Promise<readonly MetricSnapshot[]>) | null = null;
  const readAll = async (others: readonly MetricSnapshot[]): Promise<string> =>
    (await sumMetrics([await registry.getMetricsAsJSON(), ...others])).text;
  return {
    registry,
    async read() {
      const body = readOthers === null ? await registry.metrics() : await readAll(await readOthers());
      return { contentType: registry.contentType, body };
    },
    join(others) {
      readOthers = others;
    },
  };
}

// They list every handle of the process at each scrape, and name their sums like counters.
const walksOfHandles = ["handles", "requests", "resources"].flatMap((what) => [
  `nodejs_active_${what}`,
  `nodejs_active_${what}_total`,
]);
