import type { DestinationStream } from "pino";
import { visible } from "../lib/visible.ts";
import type { LoggedError } from "./serialize-error.ts";

/** Turns lines of JSON into lines for people: the local time, level, message, fields, and an error below. */
export function linesForPeople(destination: DestinationStream): DestinationStream {
  return { write: (line) => destination.write(formatLine(line)) };
}

function formatLine(line: string): string {
  const { time, level, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const clock = new Date(String(time)).toTimeString().slice(0, 8);
  const facts = Object.entries(fields)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${formatValue(value)}`);
  const head = [clock, String(level).padEnd(5), visible(typeof msg === "string" ? msg : ""), ...facts].join(
    " ",
  );
  return err === undefined ? `${head}\n` : `${head}\n${formatError(err as Partial<LoggedError>)}\n`;
}

function formatValue(value: unknown): string {
  const isPlain = typeof value === "string" && /^[^\s"=]+$/.test(value);
  return visible(isPlain ? value : JSON.stringify(value));
}

function formatError({ stack, message, type, cause, errors = [] }: Partial<LoggedError>): string {
  const own = stack === undefined || stack === "" ? (message ?? type ?? "unknown") : stack;
  const below = cause === undefined ? [] : ["  caused by:", formatError(cause)];
  return [...own.split("\n").map((line) => `  ${visible(line)}`), ...below, ...errors.map(formatError)].join(
    "\n",
  );
}
