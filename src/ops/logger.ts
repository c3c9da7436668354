import { type DestinationStream, type Logger, pino, stdTimeFunctions } from "pino";
import { gatherLines } from "./gather-lines.ts";
import { linesForPeople } from "./log-lines.ts";
import { redact } from "./redact.ts";
import { serializeError } from "./serialize-error.ts";

/** What the service logs with. Children are left out: pino writes their own fields unredacted. */
export type Log = Pick<Logger, "debug" | "info" | "warn" | "error">;

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
  return pino(options, forPeople ? linesForPeople(destination) : destination);
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
