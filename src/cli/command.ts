/** Exit codes: 0 done, 1 failed, 2 wrong usage, 3 something differs. */
export type ExitCode = 0 | 1 | 2 | 3;

/** An option of a command, as it is read and as the help shows it. */
export interface OptionSpec {
  /** The name of its value in the help; undefined for a switch, which has no value. */
  readonly value?: string;
  /** Whether it can be given several times. */
  readonly multiple?: true;
  /** Its letter, for `-f` in place of `--file`. */
  readonly short?: string;
  /** Whether it says what the command acts on: the help shows these apart. */
  readonly isOfTarget?: true;
  readonly help: string;
}

/** The options and operands that a command was called with. */
export interface CommandInput {
  readonly options: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;
  readonly operands: readonly string[];
}

/** A command of the command line. */
export interface Command {
  /** The words that name it, "user create" for example. */
  readonly name: string;
  /** Another name for it. */
  readonly alias?: string;
  /** For programs: it is in no help. */
  readonly isHidden?: true;
  /** The names of its operands in the help: as many as it takes; "[NAME]" may be left out, "NAME..." be several. */
  readonly operands: readonly string[];
  /** The form of an operand that can begin with a hyphen, as an option does. */
  readonly operandForm?: RegExp;
  /** One line for the list of commands. */
  readonly summary: string;
  /** More for the command's own help: lines of at most 80 characters. */
  readonly details?: readonly string[];
  readonly options: Readonly<Record<string, OptionSpec>>;
  run(input: CommandInput): Promise<ExitCode>;
}

/** Wrong usage: exit code 2. The message is for the person who typed the command. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The option of every command that prints what it has found or done. */
export const jsonOption = { json: { help: "print JSON, one object a line" } } as const;

/** The option of every command that asks before it does something. */
export const yesOption = { yes: { help: "do not ask" } } as const;

/** A string option's value. */
export function stringOption(input: CommandInput, name: string): string | undefined {
  const value = input.options[name];
  return typeof value === "string" ? value : undefined;
}

/** The values of an option that can be given several times. */
export function stringOptions(input: CommandInput, name: string): string[] {
  const value = input.options[name];
  return Array.isArray(value) ? value.map(String) : [];
}

/** Whether a switch was given. */
export function hasOption(input: CommandInput, name: string): boolean {
  return input.options[name] === true;
}
