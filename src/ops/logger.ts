import { type DestinationStream, type Logger, pino, stdTimeFunctions } from "pino";

/** What the service logs with. */
export type Log = Logger;

/** Paths that never reach a log, whoever puts them into a line. The contract's own secrets are among them. */
const redacted = [
  "password",
  "current_password",
  "new_password",
  "client_secret",
  "device_token",
  "access_token",
  "refresh_token",
  "authorization",
  "cookie",
  "secret",
].flatMap((name) => [name, `*.${name}`]);

/** How many causes of an error are told. */
const causesMax = 5;

/**
 * Creates the logger: a line of JSON each, to standard output, or lines for people on a terminal.
 *
 * @param forPeople whether standard output is a terminal
 */
export function createLogger(level: string, forPeople: boolean): Log {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: redacted, censor: "[redacted]" },
    serializers: { err: (error: unknown) => serializeError(error, causesMax) },
  };
  return forPeople ? pino(options, linesForPeople) : pino(options);
}

/**
 * An error as logs show it: its type, code, sentence, stack and causes. Nothing else that a driver hangs
 * on its errors, such as the values of the statement that failed.
 */
function serializeError(error: unknown, causesLeft: number): unknown {
  if (!Error.isError(error)) return { type: typeof error };
  const { name, message, stack, cause } = error;
  const code = "code" in error && typeof error.code === "string" ? { code: error.code } : {};
  const below =
    cause === undefined || causesLeft === 0 ? {} : { cause: serializeError(cause, causesLeft - 1) };
  return { type: name, ...code, message, stack, ...below };
}

const linesForPeople: DestinationStream = {
  write(line) {
    const { time, level, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
    const facts = Object.entries(fields)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
    const head = `${String(time).slice(11, 19)} ${String(level).padEnd(5)} ${String(msg)}`;
    const trace = err === undefined ? "" : `\n${describe(err)}`;
    process.stdout.write(`${[head, ...facts].join(" ")}${trace}\n`);
  },
};

function describe(err: unknown): string {
  const { stack, message, cause } = err as { stack?: string; message?: string; cause?: unknown };
  const own = `  ${(stack ?? message ?? "unknown").replaceAll("\n", "\n  ")}`;
  return cause === undefined ? own : `${own}\n  caused by:\n${describe(cause)}`;
}
