import type { Command, OptionSpec } from "../command.ts";
import { commonOptions } from "../help.ts";

/** What a shell completes. */
export interface Words {
  /** The words that can stand first, and those that can follow each of them. */
  readonly first: readonly string[];
  readonly second: ReadonlyMap<string, readonly string[]>;
  /** The options of each command, by its names. */
  readonly options: ReadonlyMap<string, Readonly<Record<string, OptionSpec>>>;
}

/** The words of all commands, under their other names too. */
export function wordsOf(commands: readonly Command[]): Words {
  const second = new Map<string, string[]>();
  const options = new Map<string, Readonly<Record<string, OptionSpec>>>();
  for (const command of commands) {
    for (const name of [command.name, ...(command.alias === undefined ? [] : [command.alias])]) {
      const [first = "", next] = name.split(" ");
      const known = second.get(first) ?? [];
      second.set(first, next === undefined ? known : [...known, next]);
      options.set(name, { ...command.options, ...commonOptions });
    }
  }
  return { first: [...second.keys(), "help"], second, options };
}

/** Whether the value of an option is the path of a file. */
export function takesFile({ value }: OptionSpec): boolean {
  return value === "FILE";
}
