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
  readonly load: LoadResult;
  readonly probes: ProbeResult;
  /** MiB. */
  readonly memory: { readonly before: number; readonly peak: number; readonly after: number };
}

const goodputMin = 0.9;
const refusedP99MaxMs = 50;
const probeFactorMax = 3;
const probeFloorMs = 10;
const memoryGrowthMaxMib = 256;
const memoryKeptMaxMib = 128;

/** What must be true of a storm from many addresses. */
export function judgeStorm(storm: Storm, capacity: number, idle: ProbeResult): Requirement[] {
  const { load } = storm;
  const goodput = load.succeeded / load.seconds / capacity;
  return [
    {
      name: `goodput is at least ${percent(goodputMin)} of capacity`,
      figure: `${percent(goodput)}: ${(load.succeeded / load.seconds).toFixed(1)} of ${capacity.toFixed(1)} a second`,
      holds: goodput >= goodputMin,
    },
    {
      name: `refusals take under ${refusedP99MaxMs} ms at p99`,
      figure: `p50 ${load.refusedMs.p50.toFixed(1)} ms, p99 ${load.refusedMs.p99.toFixed(1)} ms`,
      holds: load.refusedMs.p99 < refusedP99MaxMs,
    },
    ...judgeOutcomes(load),
    ...judgeProbes(storm.probes, idle),
    judgeMemory(storm.memory),
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
    ...judgeOutcomes(flood),
    noFailures(probes),
  ];
}

function judgeOutcomes(load: LoadResult): Requirement[] {
  const failures = Object.entries(load.outcomes).filter(([name]) => !/^(?:503 overloaded|429 )/.test(name));
  return [
    {
      name: "every refusal names a time to come back in",
      figure: `${load.refusedWithoutRetryAfter} without; p50 ${load.retryAfterSeconds.p50} s, at most ${load.retryAfterSeconds.max} s`,
      holds: load.refusedWithoutRetryAfter === 0,
    },
    {
      name: "no login fails otherwise",
      figure:
        failures.length === 0 ? "none" : failures.map(([name, count]) => `${count} x ${name}`).join(", "),
      holds: failures.length === 0,
    },
  ];
}

function judgeProbes(probes: ProbeResult, idle: ProbeResult): Requirement[] {
  const each = probeNames.map((name) => {
    const [idleMs, stormMs] = [median(idle.p99Ms[name]), median(probes.p99Ms[name])];
    const limitMs = Math.max(probeFloorMs, probeFactorMax * idleMs);
    return {
      name: `p99 of ${name} stays within ${limitMs.toFixed(1)} ms`,
      figure: `${stormMs.toFixed(1)} ms (idle ${idleMs.toFixed(1)} ms)`,
      holds: stormMs <= limitMs,
    };
  });
  return [...each, noFailures(probes)];
}

function noFailures({ failures }: ProbeResult): Requirement {
  const figure = failures.length === 0 ? "none" : [...new Set(failures)].join(", ");
  return { name: "no other call fails", figure, holds: failures.length === 0 };
}

function judgeMemory({ before, peak, after }: Storm["memory"]): Requirement {
  return {
    name: `memory grows by at most ${memoryGrowthMaxMib} MiB, and all but ${memoryKeptMaxMib} MiB falls back`,
    figure: `${before.toFixed(0)} MiB before, ${peak.toFixed(0)} at most, ${after.toFixed(0)} after`,
    holds: peak - before <= memoryGrowthMaxMib && after - before <= memoryKeptMaxMib,
  };
}

function percent(part: number): string {
  return `${(part * 100).toFixed(0)} %`;
}
