import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { LoadPlan, LoadResult } from "./storm/load.ts";
import type { ProbePlan, ProbeResult } from "./storm/probes.ts";
import { judgeFlood, judgeStorms, type Requirement, type Storm } from "./storm/requirements.ts";
import { type StormService, startStormService } from "./storm/service.ts";

const usage = `Usage: npm run bench:storm [-- --seconds N] [--json]

  --seconds N  how long each storm lasts, 2 to 600; 60 without it
  --json       the figures as JSON on standard output, the text on standard error

Exit codes: 0 every requirement holds, 1 one or more do not, 2 the command line is not understood.
`;
const flags = readFlags();
const { seconds } = flags;
const rounds = 5;
const idleSeconds = Math.max(2, seconds / 5);
const capacitySeconds = Math.max(5, seconds / 3);
const settleSeconds = 5;
const overload = 3;
/** The part of capacity that the others ask for during a flood. */
const usualPart = 0.5;
const userCount = 2_000;
const addressCount = 1_000_000;
const probeRate = 20;
/** Storms of each kind. */
const repeats = 5;
/** Whether a refused caller comes back when Retry-After says so. */
const stormKinds = [
  { name: "storm", comesBack: false },
  { name: "storm whose callers come back", comesBack: true },
];

function readFlags(): { readonly seconds: number; readonly json: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        seconds: { type: "string", default: "60" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) {
      process.stdout.write(usage);
      process.exit(0);
    }
    const given = Number(values.seconds);
    if (!(given >= 2 && given <= 600)) {
      throw new Error(`--seconds is no number from 2 to 600: ${values.seconds}`);
    }
    return { seconds: given, json: values.json };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}

async function main(service: StormService): Promise<boolean> {
  const load = { port: service.port, userNames: service.userNames, password: service.password };
  const spread = { ...load, addresses: addressCount, network: 10, callers: null, comesBack: false };
  say(
    `load average ${loadavg()
      .map((value) => value.toFixed(1))
      .join(" ")}, ${seconds} s a storm`,
  );

  const idle = await (await startProbes(service, idleSeconds / rounds))();
  // What a storm runs most, logins and refusals, is to be compiled before anything is measured.
  await generate({ ...spread, callers: 8, rate: 0, seconds: 3 });
  await generate({ ...spread, rate: 300, seconds: 5 });
  let capacity = await measureCapacity(service, spread);
  const storms: Record<string, Storm[]> = {};
  const cases: Record<string, Requirement[]> = {};
  for (const { name, comesBack } of stormKinds) {
    const measured: Storm[] = [];
    while (measured.length < repeats) {
      const before = capacity;
      const storm = await measureStorm(service, { ...spread, rate: overload * before, seconds, comesBack });
      capacity = await measureCapacity(service, spread);
      measured.push({ ...storm, capacity: (before + capacity) / 2 });
    }
    storms[name] = measured;
    cases[name] = judgeStorms(measured, idle);
    report(name, measured, cases[name]);
  }

  const [others, flood] = await Promise.all([
    generate({ ...spread, rate: usualPart * capacity, seconds }),
    run(service, { ...spread, rate: overload * capacity, seconds, addresses: 1, network: 172 }),
  ]);
  const name = "flood from one address";
  cases[name] = judgeFlood(others, flood.load, flood.probes);
  report(name, [flood], cases[name]);

  if (flags.json) {
    const all = {
      seconds,
      loadavg: loadavg(),
      idle,
      ...storms,
      flood: { others, flood },
      cases,
    };
    process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
  }
  return Object.values(cases).every((requirements) => requirements.every(({ holds }) => holds));
}

/**
 * With the probes going, as in the storm: what they cost is no part of what a storm may lose. Before and after
 * each storm, so that a machine whose speed drifts does not decide.
 */
async function measureCapacity(service: StormService, spread: Omit<LoadPlan, "rate" | "seconds">) {
  const plan = { ...spread, callers: 16, rate: 0, seconds: capacitySeconds };
  const { load, processorMs } = await run(service, plan);
  const capacity = load.succeeded / capacitySeconds;
  say(`\ncapacity ${capacity.toFixed(1)} logins a second; ${describeProcessor(processorMs)}`);
  return capacity;
}

async function measureStorm(service: StormService, plan: LoadPlan): Promise<Omit<Storm, "capacity">> {
  const before = service.readMemoryMib();
  let peak = before;
  const watch = setInterval(() => (peak = Math.max(peak, service.readMemoryMib())), 500);
  const measured = await run(service, plan);
  clearInterval(watch);
  await sleep(settleSeconds * 1000);
  return { ...measured, memory: { before, peak, after: service.readMemoryMib() } };
}

/** Runs a load beside the probes, and tells who took the processors' time meanwhile. */
async function run(service: StormService, plan: LoadPlan): Promise<Omit<Storm, "capacity" | "memory">> {
  const begin = await startProbes(service, plan.seconds / rounds);
  const before = service.readProcessorMs();
  const [load, probes] = await Promise.all([generate(plan), begin()]);
  const after = service.readProcessorMs();
  const own = Object.entries(after).map(([part, ms]): [string, number] => [part, ms - (before[part] ?? 0)]);
  const all: [string, number][] = [...own, ["callers", load.processorMs], ["probes", probes.processorMs]];
  const processorMs = Object.fromEntries(all.map(([who, ms]) => [who, ms / plan.seconds]));
  return { load, probes, processorMs };
}

function describeProcessor(processorMs: Storm["processorMs"]): string {
  const shares = Object.entries(processorMs).map(([who, ms]) => `${who} ${ms.toFixed(0)}`);
  return `of ${availableParallelism() * 1000} ms a second ${shares.join(", ")}`;
}

/** A flag of its own is no standing order: the numbers of a JSON run go to standard output alone. */
function say(text: string): void {
  (flags.json ? process.stderr : process.stdout).write(`${text}\n`);
}

function report(
  name: string,
  runs: readonly Pick<Storm, "load" | "processorMs">[],
  requirements: readonly Requirement[],
): void {
  for (const { load, processorMs } of runs) {
    const outcomes = Object.entries(load.outcomes).map(([outcome, count]) => `${count} x ${outcome}`);
    const counts = `${load.asked} asked, ${load.returns} came back, ${load.succeeded} in`;
    say(`\n${name}: ${counts}; ${outcomes.join(", ")}`);
    say(`  ${describeProcessor(processorMs)}`);
  }
  for (const { name: requirement, figure, holds } of requirements) {
    say(`  ${holds ? "pass" : "FAIL"}  ${requirement}: ${figure}`);
  }
}

/** Signs the prober in; it begins when the result is called. */
async function startProbes(service: StormService, roundSeconds: number): Promise<() => Promise<ProbeResult>> {
  const child = start("prober.ts");
  const { port, password } = service;
  const plan: ProbePlan = {
    port,
    rounds,
    roundSeconds,
    callsPerSecond: probeRate,
    username: "admin",
    password,
  };
  child.send(plan);
  await once(child, "message");
  return async () => {
    child.send("begin");
    const [result] = (await once(child, "message")) as [ProbeResult];
    return result;
  };
}

async function generate(plan: LoadPlan): Promise<LoadResult> {
  const child = start("generator.ts");
  child.send(plan);
  const [result] = (await once(child, "message")) as [LoadResult];
  return result;
}

function start(file: string): ChildProcess {
  return fork(join(import.meta.dirname, "storm", file), { env: {}, serialization: "advanced" });
}

const service = await startStormService(userCount);
try {
  process.exitCode = (await main(service)) ? 0 : 1;
} finally {
  await service.stop();
}
