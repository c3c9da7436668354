import { jest } from "@jest/globals";
import { run } from "../../src/cli/run.ts";
import type { CommandResult } from "./service.ts";

/** Runs the command line in this process, which is quick. */
export async function call(...args: string[]): Promise<CommandResult> {
  const printed = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((name) =>
    jest.spyOn(process[name], "write").mockImplementation((text) => {
      printed[name] += String(text);
      return true;
    }),
  );
  try {
    return { code: await run(args), ...printed };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
