import { median } from "../figures.ts";
import type { LoadResult } from "./load.ts";
import { probeNames, type ProbeResult } from "./probes.ts";

/** One thing that must be true, and whether it was. */
export interface Requirement {
  readonly name: string;
  readonly figure: string;
  readonly holds: boolean;
}

/** A storm as it was measured. */
export interface Storm {
  /** Logins a second, as the mean of what was measured before it and after it. */
  readonly capacity: number;
  readonly load: LoadResult;
  readonly probes: ProbeResult;
  /** Who took the processors' time. Milliseconds a second. */
  readonly processorMs: Readonly<Record<string, number>>;
  /** MiB. */
  readonly memory: { readonly before: number; readonly peak: number; readonly after: number };
}

const goodputMin = 0.9;
const refusedP99MaxMs = 50;
const probeFactorMax = 3;
const probeFloorMs = 10;
const memoryGrowthMaxMib = 256;
const memoryKeptMaxMib = 128;

/**
 * What must be true of storms from many addresses, all of one kind. What is a matter of speed must be so in the median,
 * everything else in each.
 */
export function judgeStorms(storms: readonly Storm[], idle: ProbeResult): Requirement[] {
  const loads = storms.map(({ load }) => load);
  const goodputs = storms.map(({ load, capacity }) => load.succeeded / load.seconds / capacity);
  const goodput = median(goodputs);
  const p50 = median(loads.map(({ refusedMs }) => refusedMs.p50));
  const p99 = median(loads.map(({ refusedMs }) => refusedMs.p99));
  return [
    {
      name: `goodput is at least ${percent(goodputMin)} of capacity`,
      figure: `${percent(goodput)} in the median of ${goodputs.map(percent).join(", ")}`,
      holds: goodput >= goodputMin,
    },
    {
      name: `refusals take under ${refusedP99MaxMs} ms at p99`,
      figure: `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
      holds: p99 < refusedP99MaxMs,
    },
    ...judgeOutcomes(loads),
    ...judgeProbes(
      storms.map(({ probes }) => probes),
      idle,
    ),
    judgeMemory(storms.map(({ memory }) => memory)),
  ];
}

/** What must be true of a flood from one address, for all others. */
export function judgeFlood(others: LoadResult, flood: LoadResult, probes: ProbeResult): Requirement[] {
  const kept = others.succeeded / others.asked;
  return [
    {
      name: `the others keep ${percent(goodputMin)} of their logins`,
      figure: `${percent(kept)} of ${others.asked}, in ${others.succeededMs.p50.toFixed(0)} ms at p50 and ${others.succeededMs.p99.toFixed(0)} ms at p99`,
      holds: kept >= goodputMin,
    },
    ...judgeOutcomes([flood]),
    noFailures([probes]),
  ];
}

function judgeOutcomes(loads: readonly LoadResult[]): Requirement[] {
  const outcomes = loads.flatMap((load) => Object.entries(load.outcomes));
  const failures = outcomes.filter(([name]) => !/^(?:503 overloaded|429 )/.test(name));
  const without = loads.reduce((sum, { refusedWithoutRetryAfter }) => sum + refusedWithoutRetryAfter, 0);
  const times = loads.map(({ retryAfterSeconds }) => retryAfterSeconds);
  const [p50, max] = [median(times.map((time) => time.p50)), Math.max(...times.map((time) => time.max))];
  return [
    {
      name: "every refusal names a time to come back in",
      figure: `${without} without; p50 ${p50} s, at most ${max} s`,
      holds: without === 0,
    },
    {
      name: "no login fails otherwise",
      figure:
        failures.length === 0 ? "none" : failures.map(([name, count]) => `${count} x ${name}`).join(", "),
      holds: failures.length === 0,
    },
  ];
}

function judgeProbes(probes: readonly ProbeResult[], idle: ProbeResult): Requirement[] {
  const each = probeNames.map((name) => {
    const [idleMs, stormMs] = [median(idle.p99Ms[name]), median(probes.flatMap(({ p99Ms }) => p99Ms[name]))];
    const limitMs = Math.max(probeFloorMs, probeFactorMax * idleMs);
    return {
      name: `p99 of ${name} stays within ${limitMs.toFixed(1)} ms`,
      figure: `${stormMs.toFixed(1)} ms (idle ${idleMs.toFixed(1)} ms)`,
      holds: stormMs <= limitMs,
    };
  });
  return [...each, noFailures(probes)];
}

function noFailures(probes: readonly ProbeResult[]): Requirement {
  const failures = probes.flatMap((result) => result.failures);
  const figure = failures.length === 0 ? "none" : [...new Set(failures)].join(", ");
  return { name: "no other call fails", figure, holds: failures.length === 0 };
}

function judgeMemory(memories: readonly Storm["memory"][]): Requirement {
  const before = memories[0]?.before ?? 0;
  const [peak, after] = [Math.max(...memories.map((one) => one.peak)), memories.at(-1)?.after ?? 0];
  return {
    name: `memory grows by at most ${memoryGrowthMaxMib} MiB, and all but ${memoryKeptMaxMib} MiB falls back`,
    figure: `${before.toFixed(0)} MiB before, ${peak.toFixed(0)} at most, ${after.toFixed(0)} after`,
    holds: peak - before <= memoryGrowthMaxMib && after - before <= memoryKeptMaxMib,
  };
}

function percent(part: number): string {
  return `${(part * 100).toFixed(0)} %`;
}
