// Looks at every history of the rotations of a session to a depth, and lets the model find each planted fault.
// Usage: npm run model [-- --depth <steps>] [--json]
// Exit codes: 0 every property holds and every fault is found, 1 not so, 2 wrong usage.
import { parseArgs } from "node:util";
import { explore, type Explored } from "./explore.ts";
import { plantedFaults, rules } from "./rules.ts";
import type { ModelReport } from "./run-model.ts";

const depthByDefault = "9";
/** Every planted fault shows within so many steps, the given ones apart. */
const faultDepth = 7;

function tell(name: string, { states, transitions, milliseconds, counterexample }: Explored): void {
  const figures = `${states} states, ${transitions} transitions, ${(milliseconds / 1000).toFixed(1)} s`;
  console.log(`${name}: ${counterexample?.violation ?? "every property holds"} (${figures})`);
  for (const [index, step] of (counterexample?.trace ?? []).entries()) {
    console.log(`  ${index + 1}. ${step.name}`);
  }
}

function main(depth: number, isJson: boolean): ModelReport {
  const told = isJson ? () => undefined : tell;
  const whole = explore(rules, depth);
  told(`the rules as they are, every history of ${depth} steps`, whole);
  const faults = plantedFaults.map((fault) => {
    const found = explore(fault.rules, faultDepth, fault.given);
    told(`planted: ${fault.name}`, found);
    const { violation = null, trace = [] } = found.counterexample ?? {};
    return { name: fault.name, violation, trace: trace.map(({ name }) => name) };
  });
  const violation = whole.counterexample?.violation ?? null;
  const { states, transitions, milliseconds } = whole;
  return { depth, states, transitions, seconds: milliseconds / 1000, violation, faults };
}

const { values } = parseArgs({
  options: { depth: { type: "string", default: depthByDefault }, json: { type: "boolean", default: false } },
});
const depth = Number(values.depth);
if (Number.isInteger(depth) && depth > 0) {
  const report = main(depth, values.json);
  if (values.json) console.log(JSON.stringify(report));
  const isWell = report.violation === null && report.faults.every(({ violation }) => violation !== null);
  process.exitCode = isWell ? 0 : 1;
} else {
  console.error("The depth is a number of steps, such as 9.");
  process.exitCode = 2;
}
