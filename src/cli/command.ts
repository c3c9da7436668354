import type { ParseArgsOptionsConfig } from "node:util";

/** Exit codes: 0 done, 1 failed, 2 wrong usage. */
export type ExitCode = 0 | 1 | 2;

/** The options and operands that a command was called with. */
export interface CommandInput {
  readonly options: Readonly<Record<string, string | boolean | string[] | undefined>>;
  readonly operands: readonly string[];
}

/** A command of the command line. */
export interface Command {
  /** What follows `countersign `, for the help. */
  readonly usage: string;
  /** One line for the help. */
  readonly summary: string;
  readonly options: ParseArgsOptionsConfig;
  /** How many operands it takes. */
  readonly operandCount: number;
  run(input: CommandInput): Promise<ExitCode>;
}

/** A call that no command understands: exit code 2. The sentence is for the person who typed it. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** A string option's value. */
export function stringOption(input: CommandInput, name: string): string | undefined {
  const value = input.options[name];
  return typeof value === "string" ? value : undefined;
}

/** Prints one line to standard output. */
export function printLine(text: string): void {
  process.stdout.write(`${text}\n`);
}
