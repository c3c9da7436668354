import type { Command, OptionSpec } from "./command.ts";

const helpOption = "-h, --help";

/** The help of the whole program. */
export function generalHelp(commands: readonly Command[]): string {
  return [
    "Countersign, an identity service.",
    "",
    "usage: countersign COMMAND [OPTION]...",
    "",
    ...alignRows(
      commands
        .filter(({ isHidden }) => isHidden !== true)
        .map((command) => [synopsis(command), command.summary]),
    ),
    "",
    "`countersign help COMMAND` shows the options of a command, `countersign --version` the version.",
    "The configuration comes from the environment (docs/config.md); `countersign doctor` checks it.",
    "Exit codes: 0 done, 1 failed, 2 wrong usage.",
  ].join("\n");
}

/** The help of a group of commands, such as `user`. */
export function groupHelp(word: string, commands: readonly Command[]): string {
  return [
    `usage: countersign ${word} COMMAND [OPTION]...`,
    "",
    ...alignRows(commands.map((command) => [synopsis(command), command.summary])),
    "",
    `\`countersign help ${word} COMMAND\` shows the options of a command.`,
  ].join("\n");
}

/** The help of one command. */
export function commandHelp(command: Command): string {
  const options = Object.entries(command.options).map(
    ([name, spec]) => [optionForm(name, spec), spec.help] as const,
  );
  return [
    usageLine(command),
    "",
    `${command.summary.charAt(0).toUpperCase()}${command.summary.slice(1)}.`,
    ...(command.details === undefined ? [] : ["", ...command.details]),
    "",
    ...alignRows([...options, [helpOption, "show this text"]]),
  ].join("\n");
}

/** How a command is called, in one line. */
export function usageLine(command: Command): string {
  const options = Object.keys(command.options).length === 0 ? "" : " [OPTION]...";
  return `usage: countersign ${synopsis(command)}${options}`;
}

function synopsis({ name, operands }: Command): string {
  return [name, ...operands].join(" ");
}

function optionForm(name: string, { value, multiple }: OptionSpec): string {
  return `    --${name}${value === undefined ? "" : ` ${value}`}${multiple === true ? "..." : ""}`;
}

function alignRows(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
