import { requireBounded } from "./items.ts";

/** A row of a table, by the names of its columns, and the line that it begins on. */
export interface Row {
  readonly line: number;
  readonly cells: ReadonlyMap<string, string>;
}

/**
 * Reads a CSV text (RFC 4180): commas, cells in quotes where they need them, the names of the columns in the first row.
 * Empty lines are passed over.
 *
 * @throws Error where a row has more cells than there are columns, or is too long
 */
export async function* readCsvRows(text: AsyncIterable<string>): AsyncGenerator<Row> {
  let columns: readonly string[] | null = null;
  for await (const { line, cells } of readCells(text)) {
    if (cells.length === 1 && cells[0] === "") continue;
    if (columns === null) {
      columns = cells.map((name) => name.trim());
      continue;
    }
    if (cells.length > columns.length) throw new Error(`Line ${line} has more cells than there are columns.`);
    yield { line, cells: new Map(cells.map((cell, index) => [columns?.[index] ?? "", cell])) };
  }
}

async function* readCells(
  text: AsyncIterable<string>,
): AsyncGenerator<{ readonly line: number; readonly cells: string[] }> {
  let [cells, cell, chars]: [string[], string, number] = [[], "", 0];
  let [line, begun] = [1, 1];
  // Within quotes, and after a quote that ends them or is the first of two.
  let [isQuoted, isAfterQuote] = [false, false];
  for await (const chunk of text) {
    for (const char of chunk) {
      chars += 1;
      if (char === "\n") line += 1;
      if (isQuoted && !isAfterQuote) {
        if (char === '"') isAfterQuote = true;
        else cell += char;
      } else if (char === '"' && (isAfterQuote || cell === "")) {
        if (isAfterQuote) cell += char;
        isQuoted = true;
        isAfterQuote = false;
      } else if (char === "," || char === "\n") {
        cells.push(isQuoted ? cell : cell.replace(/\r$/, ""));
        [cell, isQuoted, isAfterQuote] = ["", false, false];
        if (char === ",") continue;
        yield { line: begun, cells };
        [cells, chars, begun] = [[], 0, line];
      } else if (!(isAfterQuote && char === "\r")) cell += char;
    }
    requireBounded(chars, begun);
  }
  if (cell === "" && cells.length === 0 && !isQuoted) return;
  cells.push(cell.replace(/\r$/, ""));
  yield { line: begun, cells };
}
