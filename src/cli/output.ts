import { once } from "node:events";
import { visible, visibleLines } from "../lib/visible.ts";

let isGuarded = false;
let isClosed = false;

/**
 * Lets commands end quietly when nobody reads their output any more (`user list | head -1`), or when
 * the terminal has gone. Called before anything is printed.
 */
export function guardOutput(): void {
  if (isGuarded) return;
  isGuarded = true;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
      isClosed = true;
    });
  }
}

/** Whether nobody reads the output any more, so that a long listing can stop. */
export function isOutputClosed(): boolean {
  return isClosed;
}

// All output goes through the functions below. They escape control characters, since values come from callers.

/** Prints one line to standard output; a line break within is shown as an escape. */
export function printLine(text: string): void {
  process.stdout.write(`${visible(text)}\n`);
}

/** Prints text of several lines to standard output, such as a help text. */
export function printText(text: string): void {
  process.stdout.write(`${visibleLines(text)}\n`);
}

/** Prints one object as JSON, on one line. Control characters are escaped here, too; the JSON means the same. */
export function printJson(value: unknown): void {
  printLine(JSON.stringify(value));
}

/** Prints one line to standard output, and resolves when there is room for more: for listings without an end. */
export async function printInTurn(text: string): Promise<void> {
  if (process.stdout.write(`${visible(text)}\n`) || isClosed) return;
  await Promise.race([once(process.stdout, "drain"), once(process.stdout, "close")]);
}

/** Shows one line on a terminal in place of the one before; nothing where standard error is none. */
export function printStatus(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${visible(text)}`);
}

/** Prints lines to standard error. */
export function printError(text: string): void {
  process.stderr.write(`${visibleLines(text)}\n`);
}

/** How wide the terminal is; null if standard output is no terminal, and lines may have any length. */
export function terminalColumns(): number | null {
  return process.stdout.isTTY === true ? process.stdout.columns : null;
}
