import { type DestinationStream, type Logger, pino, stdTimeFunctions } from "pino";
import { gatherLines } from "./gather-lines.ts";
import { linesForPeople } from "./log-lines.ts";
import { redact } from "./redact.ts";
import { serializeError } from "./serialize-error.ts";

/** What the service logs with. Children are left out: pino writes their own fields unredacted. */
export interface Log extends Pick<Logger, "debug" | "info" | "warn" | "error"> {
  /**
   * As `info`, for the line that each request has, at half the cost: its fields are the ones that the code names, and
   * no secret is looked for among them.
   */
  facts(fields: Readonly<Record<string, string | number | null>>, message: string): void;
}

/**
 * Creates the logger: a line of JSON each, or lines for people on a terminal. Fields with the names of
 * secrets are taken out, whoever puts them in and however deep; errors are told without what drivers
 * hang on them.
 *
 * @param level the least severe level that is written, or "silent"
 * @param forPeople whether standard output is a terminal
 * @param destination where the lines go; standard output by default
 */
export function createLogger(
  level: string,
  forPeople: boolean,
  destination: DestinationStream = forPeople ? process.stdout : standardOutput(),
): Log {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: redact,
    },
    serializers: { err: serializeError },
  };
  const lines = forPeople ? linesForPeople(destination) : destination;
  const log = pino(options, lines);
  const facts: Log["facts"] = (fields, msg) => {
    if (!log.isLevelEnabled("info")) return;
    lines.write(`${JSON.stringify({ level: "info", time: new Date().toISOString(), ...fields, msg })}\n`);
  };
  return Object.assign(log, { facts });
}

/** Lines of JSON are for programs, which may get some of them together; whoever looks at a terminal sees each. */
function standardOutput(): DestinationStream {
  const output = pino.destination(1);
  const lines = gatherLines(output);
  process.once("exit", () => {
    lines.flush();
    output.flushSync();
  });
  return lines;
}
