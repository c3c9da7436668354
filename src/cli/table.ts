import { visible } from "../lib/visible.ts";
import { printLine, terminalColumns } from "./output.ts";

/** A table on standard output, with a line of titles. */
export interface Table {
  /** @param cells as many as there are titles */
  add(cells: readonly string[]): void;
  /** Prints the rows that are still held back. */
  end(): void;
}

/** How many rows decide the width of the columns: long tables must not be held in memory. */
const rowsHeld = 500;
const gap = "  ";

/**
 * Begins a table whose columns are as wide as their titles and their first 500 cells. If the terminal is too
 * narrow for them, each row is a paragraph with a line for each cell: nothing is cut off, and lines do not wrap.
 */
export function createTable(titles: readonly string[]): Table {
  let held: (readonly string[])[] = [];
  let print: ((row: readonly string[]) => void) | null = null;

  const flush = (): void => {
    if (print === null) {
      const widths = titles.map((title, column) =>
        Math.max(lengthOf(title), ...held.map((row) => lengthOf(row[column]))),
      );
      const isWide = widths.reduce((sum, width) => sum + width + gap.length, -gap.length) > terminalWidth();
      if (!isWide) printLine(formatRow(titles, widths));
      print = isWide ? (row) => printParagraph(titles, row) : (row) => printLine(formatRow(row, widths));
    }
    for (const row of held) print(row);
    held = [];
  };

  return {
    add(cells) {
      held.push(cells.map(visible));
      if (print !== null || held.length >= rowsHeld) flush();
    },
    end: flush,
  };
}

function terminalWidth(): number {
  return terminalColumns() ?? Number.POSITIVE_INFINITY;
}

function formatRow(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - lengthOf(cell))))
    .join(gap)
    .trimEnd();
}

function printParagraph(titles: readonly string[], row: readonly string[]): void {
  const width = Math.max(...titles.map(lengthOf));
  titles.forEach((title, column) => {
    printLine(formatRow([title, row[column] ?? ""], [width]));
  });
  printLine("");
}

/** Its width in characters as people count them. */
function lengthOf(cell = ""): number {
  return [...new Intl.Segmenter("en").segment(cell)].length;
}
