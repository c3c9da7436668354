import { printLine } from "./output.ts";

/** A table on standard output, with a line of titles. */
export interface Table {
  /** @param cells as many as there are titles */
  add(cells: readonly string[]): void;
  /** Prints what has been held back. */
  end(): void;
}

/** So many rows decide how wide the columns are; longer tables must not be held in memory. */
const rowsHeld = 500;

/** Begins a table whose columns are as wide as their titles and their first 500 cells. */
export function createTable(titles: readonly string[]): Table {
  let held: (readonly string[])[] = [titles];
  let widths: readonly number[] | null = null;

  const flush = (): readonly number[] => {
    const found = widths ?? titles.map((_, column) => Math.max(...held.map((row) => lengthOf(row[column]))));
    for (const row of held) printLine(formatRow(row, found));
    held = [];
    widths = found;
    return found;
  };

  return {
    add(cells) {
      held.push(cells);
      if (widths !== null || held.length > rowsHeld) flush();
    },
    end: () => void flush(),
  };
}

function formatRow(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - lengthOf(cell))))
    .join("  ")
    .trimEnd();
}

/** In characters as people count them. */
function lengthOf(cell = ""): number {
  return [...new Intl.Segmenter("en").segment(cell)].length;
}
