import { join } from "node:path";
import { root } from "../_harness/service.ts";
import { runTool } from "../_harness/run-tool.ts";

/** What `npm run model -- --json` tells. */
export interface ModelReport {
  readonly depth: number;
  readonly states: number;
  readonly transitions: number;
  readonly seconds: number;
  /** The property that does not hold; null where all do. */
  readonly violation: string | null;
  readonly faults: readonly {
    readonly name: string;
    /** Null where the fault was not found. */
    readonly violation: string | null;
    /** The shortest history that shows it. */
    readonly trace: readonly string[];
  }[];
}

/** Runs the command that the documentation names, past jest, where it takes a fifth of the time. */
export async function runModel(args: readonly string[]): Promise<ModelReport> {
  const { output } = await runTool("node", [join(root, "test/model/run.ts"), "--json", ...args]);
  return JSON.parse(output) as ModelReport;
}
