// Looks at every history of a session's line to a depth, and lets the model find each planted fault.
// Usage: npm run model [-- <depth>]
// Exit codes: 0 all properties hold and every fault is found, 1 not so.
import { explore, type Explored } from "./explore.ts";
import { plantedFaults, rules } from "./rules.ts";

const depth = Number(process.argv[2] ?? 9);

function tell(name: string, { states, transitions, milliseconds, counterexample }: Explored): void {
  const figures = `${states} states, ${transitions} steps, ${(milliseconds / 1000).toFixed(1)} s`;
  console.log(`${name}: ${counterexample?.violation ?? "every property holds"} (${figures})`);
  for (const [index, step] of (counterexample?.trace ?? []).entries()) console.log(`  ${index + 1}. ${step.name}`);
}

const whole = explore(rules, depth);
tell(`the rules as they are, to depth ${depth}`, whole);
let isWell = whole.counterexample === null;
for (const fault of plantedFaults) {
  const found = explore(fault.rules, depth);
  tell(`planted: ${fault.name}`, found);
  isWell &&= found.counterexample !== null;
}
process.exitCode = isWell ? 0 : 1;
