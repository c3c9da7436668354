import { parseArgs, type ParseArgsOptionDescriptor } from "node:util";
import { loadEnvFile } from "../config/command-line.ts";
import { codeOf } from "../lib/files.ts";
import {
  type Command,
  type CommandInput,
  type ExitCode,
  type OptionSpec,
  stringOption,
  UsageError,
} from "./command.ts";
import { commands, findCommand, findGroup } from "./commands.ts";
import { explainError } from "./explain-error.ts";
import { commandHelp, commonOptions, generalHelp, groupHelp, usageLine } from "./help.ts";
import { suggestCommand, suggestOption } from "./suggest.ts";
import { guardOutput, printError, printLine, printText } from "./output.ts";
import { readVersion } from "../app/read-version.ts";

/**
 * Runs the command line.
 *
 * @param args what follows the program's name
 * @returns the exit code
 */
export async function run(args: readonly string[]): Promise<ExitCode> {
  guardOutput();
  const [first = ""] = args;
  if (first === "--version" || first === "-V") {
    printLine(`countersign ${await readVersion()}`);
    return 0;
  }
  if (first === "help") return showHelp(args.slice(1));
  const found = findCommand(args);
  if (found !== null) return runCommand(found.command, found.rest);
  if (isHelpOption(first)) return showHelp([]);
  if (isHelpOption(args[1]) && findGroup(first).length > 0) return showHelp([first]);
  return refuse(args);
}

function isHelpOption(arg: string | undefined): boolean {
  return arg === "--help" || arg === "-h";
}

function showHelp(words: readonly string[]): ExitCode {
  const text = helpOf(words.filter((word) => !isHelpOption(word)));
  if (text === null) return refuse(words);
  printText(text);
  return 0;
}

function helpOf(words: readonly string[]): string | null {
  const [first] = words;
  if (first === undefined) return generalHelp(commands);
  const found = findCommand(words);
  if (found !== null) return commandHelp(found.command);
  const group = words.length === 1 ? findGroup(first) : [];
  return group.length === 0 ? null : groupHelp(first, group);
}

/** Refuses words that name no command. */
function refuse(words: readonly string[]): ExitCode {
  const [first] = words;
  const group = first === undefined ? [] : findGroup(first);
  if (first === undefined) printError(generalHelp(commands));
  else if (group.length > 0) {
    printError(`\`${first}\` has no such command.${suggestCommand(words)}\n\n${groupHelp(first, group)}`);
  } else printError(`There is no such command.${suggestCommand(words)}\n\n${generalHelp(commands)}`);
  return 2;
}

async function runCommand(command: Command, args: string[]): Promise<ExitCode> {
  try {
    const input = readInput(command, args);
    if (input.options["help"] === true) {
      printText(commandHelp(command));
      return 0;
    }
    const problem = findOperandProblem(command, input.operands.length);
    if (problem !== null) throw new UsageError(problem);
    takeVariables(input);
    return await command.run(input);
  } catch (error) {
    if (error instanceof UsageError) {
      printError(`${error.message}\n${usageLine(command)}`);
      return 2;
    }
    printError(explainError(error));
    return 1;
  }
}

/** --env-file: what a service manager would put into the environment. */
function takeVariables(input: CommandInput): void {
  const path = stringOption(input, "env-file");
  if (path === undefined) return;
  try {
    loadEnvFile(path);
  } catch (error) {
    throw new Error(`${path} cannot be read: ${String(codeOf(error))}.`, { cause: error });
  }
}

function readInput(command: Command, args: string[]): CommandInput {
  const specs = { ...command.options, ...commonOptions };
  try {
    const { values, positionals } = parseArgs({
      args: hyphenatedLast(command, args),
      options: Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, toParsed(spec)])),
      allowPositionals: true,
    });
    return { options: values, operands: positionals };
  } catch (error) {
    throw toUsageError(error, args, Object.keys(specs));
  }
}

function toParsed({ value, multiple, short }: OptionSpec): ParseArgsOptionDescriptor {
  const type = value === undefined ? "boolean" : "string";
  return { type, multiple: multiple === true, ...(short === undefined ? {} : { short }) };
}

/** Puts operands that begin with a hyphen after "--", so that they are not read as options. */
function hyphenatedLast({ operandForm }: Command, args: string[]): string[] {
  if (operandForm === undefined || args.includes("--")) return args;
  const isHyphenated = (arg: string): boolean => arg.startsWith("-") && operandForm.test(arg);
  return [...args.filter((arg) => !isHyphenated(arg)), "--", ...args.filter(isHyphenated)];
}

function toUsageError(error: unknown, args: readonly string[], names: readonly string[]): unknown {
  const isParseError =
    Error.isError(error) && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
  if (!isParseError) return error;
  if (args.some((arg) => /^--(pass(word)?|secret|token)(?:=|$)/.test(arg))) {
    return new UsageError(
      "Passwords and tokens are read from standard input or a file: process lists show arguments.",
    );
  }
  // Only the first sentence: Node's advice after it is about "--", which is not needed here.
  const [sentence = ""] = error.message.split(/\.\s|\n/);
  return new UsageError(`${sentence.replace(/\.$/, "")}.${suggestOption(sentence, names)}`);
}

/** "[NAME]" may be left out, "NAME..." be several. */
function findOperandProblem({ operands }: Command, count: number): string | null {
  const least = operands.filter((operand) => !operand.startsWith("[")).length;
  const most = operands.some((operand) => operand.endsWith("..."))
    ? Number.POSITIVE_INFINITY
    : operands.length;
  if (count >= least && count <= most) return null;
  if (operands.length === 0) return "It takes no arguments, only options.";
  if (most > operands.length || least < operands.length) {
    return `It takes the arguments ${operands.join(" ")}.`;
  }
  return `It takes ${operands.length === 1 ? "one argument" : `${operands.length} arguments`}: ${operands.join(" ")}.`;
}
