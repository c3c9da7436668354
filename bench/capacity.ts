// Plans what a number of users takes, by what the benchmark has measured, and plays a morning of it.
// Usage: node bench/capacity.ts [--users N] [--cores N] [--figures FILE] [--growth FILE] … (--help lists all)
import { join } from "node:path";
import { parseArgs } from "node:util";
import { playMinute } from "./capacity/busy-minute.ts";
import { readCosts } from "./capacity/costs.ts";
import { costOfCalls, type Habits, type Second, simulateMorning } from "./capacity/morning.ts";
import { makePlan } from "./capacity/plan.ts";
import { printPlan } from "./capacity/print.ts";
import { createDraw } from "./capacity/random.ts";

const results = join(import.meta.dirname, "results");
const { values } = parseArgs({
  options: {
    users: { type: "string", default: "10000000" },
    active: { type: "string", default: "0.4" },
    spread: { type: "string", default: "60" },
    "sign-in": { type: "string", default: "0.05" },
    stay: { type: "string", default: "30" },
    refresh: { type: "string", default: "15" },
    introspections: { type: "string", default: "0" },
    sessions: { type: "string", default: "2" },
    cores: { type: "string", default: "4" },
    busy: { type: "string", default: "0.6" },
    seed: { type: "string", default: "1" },
    figures: { type: "string", default: join(results, "bench.json") },
    growth: { type: "string", default: join(results, "growth.json") },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const usage = `npm run capacity -- [--users N]
  people: --active 0.4 (the part that comes on one morning), --spread 60 (standard deviation around the peak, minutes),
    --sign-in 0.05 (the part that signs in anew), --stay 30 (minutes), --refresh 15 (minutes between refreshes),
    --introspections 0 (for each of them in a minute), --sessions 2 (kept for each user)
  machines: --cores 4 (of each instance), --busy 0.6 (how busy a part may be at the peak)
  --figures FILE, --growth FILE: what npm run bench has written with --json; bench/results by default
  --seed N: another morning; --json: the figures as JSON`;

async function main(): Promise<void> {
  const number = (name: Exclude<keyof typeof values, "json" | "help" | "figures" | "growth">) =>
    Number(values[name]);
  const habits: Habits = {
    users: number("users"),
    activeShare: number("active"),
    spreadMinutes: number("spread"),
    signInShare: number("sign-in"),
    stayMinutes: number("stay"),
    refreshMinutes: number("refresh"),
    introspectionsPerMinute: number("introspections"),
  };
  const machine = { cores: number("cores"), busyMax: number("busy"), sessionsPerUser: number("sessions") };
  const isUsable =
    Object.values<number>({ ...habits, ...machine }).every((value) => value >= 0) &&
    habits.users >= 1 &&
    machine.cores >= 2 &&
    machine.busyMax > 0 &&
    machine.busyMax < 1;
  if (values.help || !isUsable) {
    console.error(usage);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const costs = await readCosts(values.figures, values.growth);
  const draw = createDraw(number("seed"));
  const peak = findPeak(simulateMorning(habits, draw), (second) => costOfCalls(costs, second).service);
  const plan = makePlan(costs, habits, machine, peak);
  const play = (instances: number) =>
    playMinute(
      { hashesAtOnce: plan.hashesAtOnce, hashWaitMax: 2.5, hashQueueMax: 128 },
      costs,
      {
        logins: peak.logins / instances,
        refreshes: peak.refreshes / instances,
        introspections: peak.introspections / instances,
      },
      draw,
    );
  const minutes = {
    all: play(plan.instances),
    oneLess: plan.instances > 1 ? play(plan.instances - 1) : null,
  };
  const output = { costs, habits, machine, peak, plan, minutes };
  process.stdout.write(values.json ? `${JSON.stringify(output, null, 2)}\n` : printPlan(output));
}

/** The mean of the busiest minute of a morning. */
function findPeak(morning: Iterable<Second>, loadOf: (second: Second) => number): Second {
  const window: Second[] = [];
  let [load, most] = [0, -1];
  let peak: Second = { logins: 0, refreshes: 0, introspections: 0, active: 0 };
  for (const second of morning) {
    window.push(second);
    load += loadOf(second);
    if (window.length <= 60) continue;
    load -= loadOf(window.shift() ?? second);
    if (load <= most) continue;
    most = load;
    const mean = (read: (one: Second) => number) => window.reduce((sum, one) => sum + read(one), 0) / 60;
    peak = {
      logins: mean((one) => one.logins),
      refreshes: mean((one) => one.refreshes),
      introspections: mean((one) => one.introspections),
      active: second.active,
    };
  }
  return peak;
}

await main();
