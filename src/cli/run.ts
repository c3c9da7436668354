import { parseArgs } from "node:util";
import { ConfigError } from "../config/config.ts";
import { AppError } from "../domain/errors.ts";
import { type Command, type ExitCode, printLine, UsageError } from "./command.ts";
import { doctor } from "./doctor.ts";
import { migrateCommand } from "./migrate.ts";
import { serveCommand } from "./serve.ts";
import { userCreate } from "./user-create.ts";
import { userList } from "./user-list.ts";
import { userSetPassword } from "./user-set-password.ts";
import { userSetStatus } from "./user-set-status.ts";

/** By the words that name them. */
const commands: Readonly<Record<string, Command>> = {
  serve: serveCommand,
  migrate: migrateCommand,
  "user create": userCreate,
  "user list": userList,
  "user set-password": userSetPassword,
  "user set-status": userSetStatus,
  doctor,
};

/**
 * Runs the command line.
 *
 * @param args what follows the program's name
 * @returns the exit code: 0 done, 1 failed, 2 wrong usage
 */
export async function run(args: readonly string[]): Promise<ExitCode> {
  const words = args.slice(0, args.findIndex((arg) => arg.startsWith("-")) >>> 0);
  if (args.length === 0 || words.length === 0 || words[0] === "help") {
    const asked = args.some((arg) => arg === "help" || arg === "--help" || arg === "-h");
    (asked ? printLine : printError)(help());
    return asked ? 0 : 2;
  }
  const name = [words.slice(0, 2).join(" "), words[0] ?? ""].find((key) => Object.hasOwn(commands, key));
  const command = name === undefined ? undefined : commands[name];
  if (name === undefined || command === undefined) {
    printError(`There is no such command.\n\n${help()}`);
    return 2;
  }
  return runCommand(command, args.slice(name.split(" ").length));
}

async function runCommand(command: Command, args: string[]): Promise<ExitCode> {
  try {
    const options = { ...command.options, help: { type: "boolean", short: "h" } } as const;
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    if (values.help === true) {
      printLine(`usage: countersign ${command.usage}\n\n${command.summary}`);
      return 0;
    }
    if (positionals.length !== command.operandCount)
      throw new UsageError("The number of arguments is wrong.");
    return await command.run({
      options: values as Record<string, string | boolean | undefined>,
      operands: positionals,
    });
  } catch (error) {
    if (error instanceof UsageError || isParseError(error)) {
      printError(`${error.message}\nusage: countersign ${command.usage}`);
      return 2;
    }
    printError(explain(error));
    return 1;
  }
}

function isParseError(error: unknown): error is Error {
  return Error.isError(error) && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
}

/** What went wrong, for the person at the terminal: sentences, and no stack. */
function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  if (error instanceof AppError) {
    const fields = error.fields.map(({ field, detail }) => `  - ${field} ${detail}`);
    return [error.message, ...fields].join("\n");
  }
  const message = Error.isError(error) ? error.message : String(error);
  return message === "" ? "It failed." : message.charAt(0).toUpperCase() + message.slice(1);
}

function help(): string {
  const width = Math.max(...Object.values(commands).map(({ usage }) => usage.length));
  const lines = Object.values(commands).map(({ usage, summary }) => `  ${usage.padEnd(width)}  ${summary}`);
  return [
    "usage: countersign COMMAND",
    "",
    ...lines,
    "",
    "Configuration comes from the environment: docs/config.md.",
  ].join("\n");
}

function printError(text: string): void {
  process.stderr.write(`${text}\n`);
}
