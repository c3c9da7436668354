import { printJson, printLine } from "../output.ts";
import type { Value } from "./fields.ts";
import type { FieldChange, Plan, Step } from "./plan.ts";

/** Shows what differs, a line for each item and field. */
export function printPlan({ steps, unlisted }: Plan): void {
  for (const step of steps) {
    const { action, kind, name } = step;
    if (action === "prune") printLine(`- ${kind.noun} ${name}: ${kind.pruning}`);
    else printLine(`${action === "create" ? "+" : "~"} ${kind.noun} ${name}`);
    for (const change of changesOf(step)) printLine(`    ${change.field}: ${describe(change)}`);
  }
  for (const { kind, name } of unlisted) {
    printLine(`! ${kind.noun} ${name} is not in the file: --prune ${kind.noun}/${name} ${kind.pruning}`);
  }
}

/** The same for programs: an object a line. */
export function printPlanJson({ steps, unlisted }: Plan): void {
  for (const step of steps) {
    const changes = changesOf(step);
    printJson({ action: step.action, kind: step.kind.noun, name: step.name, changes });
  }
  for (const { kind, name } of unlisted) printJson({ action: "none", kind: kind.noun, name, unlisted: true });
}

function changesOf(step: Step): readonly FieldChange[] {
  if (step.action === "prune") return [];
  if (step.action === "update") return step.changes;
  return Object.entries(step.item)
    .filter(
      ([field, to]) => step.kind.fields[field]?.isName !== true && to !== null && to !== "" && to !== false,
    )
    .filter(([, to]) => !Array.isArray(to) || to.length > 0)
    .map(([field, to]) => ({ field, from: null, to }));
}

function describe({ from, to }: FieldChange): string {
  if (!Array.isArray(from) || !Array.isArray(to)) {
    return from === null ? show(to) : `${show(from)} -> ${show(to)}`;
  }
  const added = to.filter((each) => !from.includes(each)).map((each) => `+${each}`);
  const removed = from.filter((each) => !to.includes(each)).map((each) => `-${each}`);
  return [...added, ...removed].join(" ");
}

function show(value: Value): string {
  if (value === null || value === "") return "none";
  return typeof value === "object" ? value.join(" ") : String(value);
}
