import { expect, test } from "@jest/globals";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { createHotCounter, createHotGauge, createHotHistogram } from "../../src/ops/metrics/hot.ts";

const facts = { help: "What is counted.", labelNames: ["rpc", "outcome"] as const };
const buckets = [0.001, 0.5, 1, 15];
const labels = { rpc: "a.B/C", outcome: "ok" };
const others = { rpc: 'an "other"', outcome: "refused" };

/** The same events, told to prom-client's own metrics. */
async function expected(name: string, values: readonly number[]): Promise<string> {
  const registry = new Registry();
  const registers = [registry];
  const counter = new Counter({ ...facts, name: `${name}_total`, registers });
  const gauge = new Gauge({ ...facts, name: `${name}_now`, registers });
  const histogram = new Histogram({ ...facts, name: `${name}_seconds`, registers, buckets });
  counter.inc(labels, values.length);
  counter.inc(others, 0);
  gauge.set(labels, -2);
  for (const value of values) histogram.observe(labels, value);
  histogram.observe(others, 3);
  return registry.metrics();
}

test("are read as prom-client's own are, however often", async () => {
  const values = [0, 0.001, 0.0011, 0.5, 0.75, 15, 15.1, 100];
  const registry = new Registry();
  const registers = [registry];
  const counter = createHotCounter({ ...facts, name: "x_total", registers });
  const gauge = createHotGauge({ ...facts, name: "x_now", registers });
  const histogram = createHotHistogram({ ...facts, name: "x_seconds", registry, buckets });
  const [count, now, times] = [counter.series(labels), gauge.series(labels), histogram.series(labels)];
  counter.series(others);
  histogram.series(others).observe(3);
  for (const value of values) {
    count.value += 1;
    times.observe(value);
    await registry.metrics();
  }
  now.value -= 2;
  const text = await registry.metrics();
  expect(text).toBe(await expected("x", values));
  expect(await registry.metrics()).toBe(text);
});
