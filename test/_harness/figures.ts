import { writeSync } from "node:fs";

/** Whether the tests of races, faults and guessing run at full size (FULL_SIZE=1), or in their short form. */
const isFullSize: boolean = process.env["FULL_SIZE"] === "1";

/** A size of a test: the short one, or the full one. */
export function sizeOf(short: number, full: number): number {
  return isFullSize ? full : short;
}

/** Time for a test whose full size takes longer. Milliseconds. */
export const longTimeoutMs: number = isFullSize ? 3_600_000 : 600_000;

/** Prints what a test has measured, past jest. */
export function printFigures(test: string, figures: Readonly<Record<string, number | string>>): void {
  const text = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
  writeSync(process.stderr.fd, `  figures: ${test}: ${text.join(", ")}\n`);
}
