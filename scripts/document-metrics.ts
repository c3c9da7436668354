// Writes docs/metrics.md below the folder that is its argument, from the metrics as they are registered.
import { globSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Aggregator, Registry } from "prom-client";
import { createMetrics } from "../src/ops/metrics/metrics.ts";
import { aggregatorOf } from "../src/ops/metrics/sum.ts";

const outRoot = process.argv[2] ?? ".";
const folder = join(import.meta.dirname, "../src/ops/metrics");

interface Topic {
  readonly title: string;
  readonly registry: Registry;
}

/** One for each file, in the order of their names. */
async function readTopics(): Promise<Topic[]> {
  const topics: Topic[] = [];
  for (const file of globSync("*-metrics.ts", { cwd: folder }).toSorted()) {
    const exported = Object.entries((await import(join(folder, file))) as Record<string, unknown>);
    const creators = exported.filter(([name]) => /^create\w+Metrics$/.test(name));
    if (creators.length === 0) throw new Error(`${file} exports no create...Metrics`);
    const registry = new Registry();
    for (const [, create] of creators) (create as (registry: Registry) => unknown)(registry);
    topics.push({ title: titleOf(file), registry });
  }
  return [...topics, { title: "Process and event loop", registry: createMetrics().registry }];
}

function titleOf(file: string): string {
  const words = file.replace("-metrics.ts", "").replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What a scrape shows where WORKERS is more than 1. */
const words: Readonly<Record<Aggregator, string>> = {
  sum: "",
  max: " Of several workers: the largest.",
  min: " Of several workers: the least.",
  first: " Of several workers: the supervisor's.",
  average: " Of several workers: the mean.",
  omit: " Not shown with several workers.",
};

/** prom-client keeps the labels apart from the other properties of a metric. */
function rowsOf(registry: Registry): string[] {
  return registry.getMetricsAsArray().map(({ name, help, type, ...rest }) => {
    const { labelNames = [] } = rest as { readonly labelNames?: readonly string[] };
    const { aggregator } = rest as { readonly aggregator?: Aggregator };
    const labels = labelNames.map((label) => `\`${label}\``).join(", ");
    const ofWorkers = words[aggregatorOf({ name, ...(aggregator && { aggregator }) })];
    return `| \`${name}\` | ${type} | ${labels} | ${help}${ofWorkers} |`;
  });
}

const sections = (await readTopics()).map(
  ({ title, registry }) => `## ${title}

| metric | type | labels | meaning |
| --- | --- | --- | --- |
${rowsOf(registry).join("\n")}
`,
);

const text = `# Metrics

<!-- Generated from src/ops/metrics by \`npm run generate\`. Do not edit. -->

Prometheus reads them from \`/metrics\` on the private port (\`OPS_PORT\`, 9090). A histogram has the series
\`_bucket\`, \`_sum\` and \`_count\`. No label has a value that a caller chose, so the number of series is
bounded whatever callers send: \`rpc\` is one of the table of RPCs, \`reason\` is \`ok\` or one of [errors.md](errors.md).
With \`WORKERS\` above 1 a scrape shows the sum over all workers and the supervisor, unless the metric says otherwise.
[operations.md](operations.md) says what to watch and what to do.

${sections.join("\n")}`;

mkdirSync(join(outRoot, "docs"), { recursive: true });
writeFileSync(join(outRoot, "docs", "metrics.md"), text);
// The event loop's monitor would keep the process alive.
process.exit(0);
