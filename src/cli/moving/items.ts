/** A part of a file that is one record, and the line that it begins on. The first is 1. */
export interface Item {
  readonly line: number;
  readonly text: string;
}

/** No record is longer, in UTF-16 units; a file is never held in memory whole. @internal for the tests, too */
export const itemCharsMax = 1_048_576;

/** Splits a text into its lines, without those that are empty. @throws Error where one is too long */
export async function* readLines(text: AsyncIterable<string>): AsyncGenerator<Item> {
  let rest = "";
  let line = 0;
  for await (const chunk of text) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const each of lines) {
      line += 1;
      if (each.trim() !== "") yield { line, text: each };
    }
    requireBounded(rest.length, line + 1);
  }
  if (rest.trim() !== "") yield { line: line + 1, text: rest };
}

/** @throws Error where a record has more characters than any has */
export function requireBounded(chars: number, line: number): void {
  if (chars > itemCharsMax) throw new Error(`What begins on line ${line} is longer than any record.`);
}
