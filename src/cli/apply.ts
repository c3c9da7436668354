import { targetOptions } from "./calling/target.ts";
import { type Api, withApi } from "./calling/with-api.ts";
import {
  type Command,
  hasOption,
  jsonOption,
  stringOption,
  stringOptions,
  UsageError,
  yesOption,
} from "./command.ts";
import { confirm } from "./confirm.ts";
import { printError, printLine } from "./output.ts";
import type { Step } from "./applying/plan.ts";

/** `countersign apply`. */
export const applyCommand: Command = {
  name: "apply",
  operands: [],
  summary: "make roles, clients and users' roles as a file says",
  details: [
    "Shows what differs, asks, and changes that and nothing else. `countersign export-config`",
    "writes a file to begin with. A section that the file leaves out is not looked at. What is",
    "there and is not in the file is shown, and goes only if --prune names it. With --dry-run",
    "the exit code is 3 if anything differs.",
    "",
    "  countersign apply -f countersign.yaml --dry-run",
  ],
  options: {
    file: { value: "FILE", short: "f", help: "the file (YAML)" },
    "dry-run": { help: "show what differs, and change nothing" },
    prune: {
      value: "KIND/NAME",
      multiple: true,
      help: "take away what is not in the file, such as role/desk",
    },
    ...yesOption,
    ...jsonOption,
    ...targetOptions,
  },
  async run(input) {
    const path = stringOption(input, "file");
    if (path === undefined) throw new UsageError("Say which file: -f countersign.yaml, for example.");
    const [
      { readConfigFile },
      { makePlan },
      { refuseUnknownRoles },
      { refuseLockOut },
      { printPlan, printPlanJson },
    ] = await Promise.all([
      import("./applying/read-file.ts"),
      import("./applying/plan.ts"),
      import("./applying/check-roles.ts"),
      import("./applying/lock-out.ts"),
      import("./applying/print-plan.ts"),
    ]);
    const file = await readConfigFile(path);
    return withApi(input, async (api) => {
      const plan = await makePlan(api, file, stringOptions(input, "prune"));
      await refuseUnknownRoles(api, plan);
      await refuseLockOut(api, plan);
      const { steps, unlisted } = plan;
      if (hasOption(input, "json")) printPlanJson(plan);
      else printPlan(plan);
      if (steps.length === 0 && unlisted.length === 0) printError("Nothing differs.");
      if (hasOption(input, "dry-run")) return steps.length === 0 && unlisted.length === 0 ? 0 : 3;
      if (steps.length === 0) return 0;
      await confirm(input, `Make ${steps.length === 1 ? "this change" : `these ${steps.length} changes`}?`);
      await makeChanges(api, steps);
      return 0;
    });
  },
};

/** Makes one change after the other. Each is made of the state that was shown, or refused. */
async function makeChanges(api: Api, steps: readonly Step[]): Promise<void> {
  let made = 0;
  for (const step of steps) {
    try {
      const told = await makeChange(api, step);
      if (told !== null) printLine(`${step.kind.noun} ${step.name}: ${told}`);
    } catch (error) {
      printError(`${made} of ${steps.length} changes were made; ${step.kind.noun} ${step.name} was not:`);
      throw error;
    }
    made += 1;
  }
  printError(`${made} of ${steps.length} changes were made.`);
}

async function makeChange(api: Api, step: Step): Promise<string | null> {
  const { kind } = step;
  if (step.action === "create") return kind.create(api, step.item);
  if (step.action === "prune") await kind.prune(api, step.found);
  else {
    const fields = step.changes.map(({ field }) => field);
    await kind.update(api, step.found, step.item, fields);
  }
  return null;
}
