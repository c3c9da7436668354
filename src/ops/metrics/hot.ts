import {
  Counter,
  type CounterConfiguration,
  Gauge,
  type GaugeConfiguration,
  type Metric,
  type Registry,
} from "prom-client";

/*
 * Metrics for what every request does. With prom-client, counting means making a text of the labels and looking it
 * up; here it is an addition, and prom-client hears of it when the metrics are read.
 */

type Labels<Name extends string> = Readonly<Record<Name, string>>;

/** One series of a counter or gauge. */
export class HotNumber {
  value = 0;
}

/** The series of a metric, by their labels. Each is made once, and kept by whoever counts. */
export interface HotMetric<Name extends string, Series> {
  series(labels: Labels<Name>): Series;
}

/** A counter. */
export function createHotCounter<Name extends string>(
  configuration: Omit<CounterConfiguration<Name>, "collect">,
): HotMetric<Name, HotNumber> {
  const all = new Map<Labels<Name>, HotNumber>();
  const counter = new Counter<Name>({
    ...configuration,
    collect() {
      counter.reset();
      for (const [labels, { value }] of all) counter.inc(labels, value);
    },
  });
  return { series: (labels) => keep(all, labels, new HotNumber()) };
}

/** A gauge. */
export function createHotGauge<Name extends string>(
  configuration: Omit<GaugeConfiguration<Name>, "collect">,
): HotMetric<Name, HotNumber> {
  const all = new Map<Labels<Name>, HotNumber>();
  const gauge = new Gauge<Name>({
    ...configuration,
    collect() {
      for (const [labels, { value }] of all) gauge.set(labels, value);
    },
  });
  return { series: (labels) => keep(all, labels, new HotNumber()) };
}

function keep<Key, Value>(all: Map<Key, Value>, key: Key, value: Value): Value {
  all.set(key, value);
  return value;
}

/** One series of a histogram. */
export class HotDistribution {
  readonly counts: number[];
  sum = 0;
  readonly #bounds: readonly number[];

  /** @param bounds the upper bounds of the buckets, the lowest first */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let index = 0;
    while (index < bounds.length && value > (bounds[index] ?? 0)) index += 1;
    this.counts[index] = (this.counts[index] ?? 0) + 1;
    this.sum += value;
  }
}

/** A classic histogram. prom-client's own can take values one by one only, so this is a metric of ours in its registry. */
export function createHotHistogram<Name extends string>({
  name,
  help,
  labelNames,
  buckets,
  registry,
}: {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly Name[];
  readonly buckets: readonly number[];
  readonly registry: Registry;
}): HotMetric<Name, HotDistribution> {
  const all = new Map<Labels<Name>, HotDistribution>();
  const facts = { name, help, type: "histogram", aggregator: "sum", labelNames };
  const metric = {
    ...facts,
    get: async () => ({
      ...facts,
      values: [...all].flatMap(([labels, distribution]) => valuesOf(name, labels, buckets, distribution)),
    }),
  };
  registry.registerMetric(metric as unknown as Metric);
  return { series: (labels) => keep(all, labels, new HotDistribution(buckets)) };
}

/** The lines of one series: how many were at most as large as each bound, all of them, and their sum. */
function valuesOf(
  name: string,
  labels: object,
  buckets: readonly number[],
  { counts, sum }: HotDistribution,
) {
  let count = 0;
  const lines = [...buckets, "+Inf"].map((le, index) => {
    count += counts[index] ?? 0;
    return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count };
  });
  return [
    ...lines,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
