import { type DestinationStream, type Logger, pino, stdTimeFunctions } from "pino";
import { gatherLines } from "./gather-lines.ts";
import { linesForPeople } from "./log-lines.ts";
import { redact } from "./redact.ts";
import { serializeError } from "./serialize-error.ts";

/** The service's logger. It has no child loggers: pino writes their fields without redaction. */
export interface Log extends Pick<Logger, "debug" | "info" | "warn" | "error" | "isLevelEnabled"> {
  /**
   * Like `info`, for the one line of each request, at a quarter of the cost: its fields are a closed list in the code,
   * so they are not searched for secrets. There is at least one.
   */
  facts(fields: Readonly<Record<string, string | number | null>>, message: string): void;
}

/**
 * Creates the logger: a line of JSON each, or lines for people on a terminal. Fields with the names of
 * secrets are removed at any depth; errors are logged without the extra properties that drivers
 * add to them.
 *
 * @param level the least severe level that is written, or "silent"
 * @param forPeople whether standard output is a terminal
 * @param destination where the lines go; standard output by default
 * @param base fields of every line
 */
export function createLogger(
  level: string,
  forPeople: boolean,
  destination: DestinationStream = forPeople ? process.stdout : standardOutput(),
  base: Readonly<Record<string, number>> = {},
): Log {
  const options = {
    level,
    base,
    timestamp: stdTimeFunctions.isoTime,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: redact,
    },
    serializers: { err: serializeError },
  };
  const lines = forPeople ? linesForPeople(destination) : destination;
  const log = pino(options, lines);
  const own = Object.entries(base)
    .map(([name, value]) => `${JSON.stringify(name)}:${value},`)
    .join("");
  const facts: Log["facts"] = (fields, message) => {
    if (!log.isLevelEnabled("info")) return;
    const members = JSON.stringify(fields).slice(1, -1);
    lines.write(`{"level":"info","time":"${isoTime()}",${own}${members},"msg":${JSON.stringify(message)}}\n`);
  };
  return Object.assign(log, { facts });
}

let lastMs = 0;
let lastIso = "";

/** The time, as text; it is made once a millisecond. */
function isoTime(): string {
  const now = Date.now();
  if (now !== lastMs) {
    lastMs = now;
    lastIso = new Date(now).toISOString();
  }
  return lastIso;
}

/** The same for a process that shares standard output with others: what it writes at once is never mixed with theirs. */
export function createSharedLogger(
  level: string,
  forPeople: boolean,
  base: Readonly<Record<string, number>> = {},
): Log {
  return createLogger(level, forPeople, forPeople ? process.stdout : standardOutput(wholePieceBytes), base);
}

/** A pipe takes so many bytes as one piece, or none of them (POSIX PIPE_BUF on Linux). */
const wholePieceBytes = 4_096;

/** Lines of JSON are for programs, so several may be written together; on a terminal each line appears at once. */
function standardOutput(bytesMax?: number): DestinationStream {
  const output = pino.destination(1);
  const lines = gatherLines(output, bytesMax);
  process.once("exit", () => {
    lines.flush();
    output.flushSync();
  });
  return lines;
}
