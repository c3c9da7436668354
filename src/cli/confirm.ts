import { createInterface } from "node:readline/promises";
import { visible } from "../lib/visible.ts";
import { type CommandInput, hasOption, UsageError } from "./command.ts";

/**
 * Asks whether something is to be done, unless --yes was given.
 *
 * @throws UsageError where there is no terminal to ask at; Error where the answer is not yes
 */
export async function confirm(input: CommandInput, question: string): Promise<void> {
  if (hasOption(input, "yes")) return;
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) {
    throw new UsageError("There is no terminal to ask at: add --yes.");
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const closed = Promise.withResolvers<string>();
  lines.once("close", () => closed.resolve(""));
  try {
    const answer = await Promise.race([lines.question(`${visible(question)} [y/N] `), closed.promise]);
    if (/^y(?:es)?$/i.test(answer.trim())) return;
  } finally {
    lines.close();
  }
  throw new Error("Nothing was done.");
}
