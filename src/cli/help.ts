import type { Command, OptionSpec } from "./command.ts";

/** The options of every command. */
export const commonOptions: Readonly<Record<string, OptionSpec>> = {
  "env-file": { value: "FILE", help: "take variables from this file, where they are not set" },
  help: { short: "h", help: "show this text" },
};

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
    "`countersign help COMMAND` shows the options of a command, `countersign",
    "--version` the version. Commands on users, sessions, clients, roles and keys act",
    "on the service that one has signed in to, or that --server names; or on the",
    "stores (--local). The others act on the stores, as the environment says",
    "(docs/config.md), which `countersign doctor` checks. docs/command-line.md tells",
    "more.",
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 something differs.",
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
  const options = Object.entries({ ...command.options, ...commonOptions });
  const rowsOf = (isOfTarget: boolean): [string, string][] =>
    options
      .filter(([, spec]) => (spec.isOfTarget === true) === isOfTarget)
      .map(([name, spec]) => [optionForm(name, spec), spec.help]);
  const [own, target] = [rowsOf(false), rowsOf(true)];
  return [
    usageLine(command),
    ...(command.alias === undefined
      ? []
      : [`   or: countersign ${[command.alias, ...command.operands].join(" ")}`]),
    "",
    `${command.summary.charAt(0).toUpperCase()}${command.summary.slice(1)}.`,
    ...(command.details === undefined ? [] : ["", ...reflow(command.details)]),
    "",
    ...alignRows(own),
    ...(target.length === 0 ? [] : ["", "What it acts on (docs/command-line.md):", "", ...alignRows(target)]),
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

function optionForm(name: string, { value, multiple, short }: OptionSpec): string {
  return `${short === undefined ? "    " : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}${multiple === true ? "..." : ""}`;
}

const columns = 80;

/** Two columns; what does not fit a line of the second goes on below it. */
function alignRows(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.flatMap(([left, right]) =>
    wrap(right, columns - width - 4).map(
      (line, index) => `  ${(index === 0 ? left : "").padEnd(width)}  ${line}`,
    ),
  );
}

/** Fills the lines of paragraphs; what is indented stays as it is. */
function reflow(lines: readonly string[]): string[] {
  const paragraphs: string[] = [];
  for (const line of lines) {
    const last = paragraphs.at(-1);
    const isText = (text: string | undefined): boolean => text !== undefined && /^\S/.test(text);
    if (isText(line) && isText(last)) paragraphs[paragraphs.length - 1] = `${last} ${line}`;
    else paragraphs.push(line);
  }
  return paragraphs.flatMap((paragraph) =>
    paragraph.startsWith(" ") ? [paragraph] : wrap(paragraph, columns),
  );
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
