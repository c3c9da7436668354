import { open, rm } from "node:fs/promises";
import { codeOf } from "../lib/files.ts";
import { isOutputClosed, printInTurn } from "./output.ts";

/** The option that names the file. */
export const outOption = {
  out: { value: "FILE", help: "a new file that its owner alone may read; standard output by default" },
} as const;

const partChars = 65_536;

/**
 * Writes lines to a new file or, without a path, to standard output.
 *
 * @param lineEnd what ends each line of a file
 * @returns how many
 * @throws Error with a sentence where the file cannot be made
 */
export function writeLines(
  lines: AsyncIterable<string>,
  path: string | undefined,
  lineEnd = "\n",
): Promise<number> {
  return path === undefined ? printAll(lines) : writeAll(lines, path, lineEnd);
}

async function printAll(lines: AsyncIterable<string>): Promise<number> {
  let count = 0;
  for await (const line of lines) {
    if (isOutputClosed()) break;
    await printInTurn(line);
    count += 1;
  }
  return count;
}

/** A file that was cut short is taken away: nobody should take it for the whole. */
async function writeAll(lines: AsyncIterable<string>, path: string, lineEnd: string): Promise<number> {
  const file = await open(path, "wx", 0o600).catch((error: unknown) => {
    throw new Error(`${path} cannot be made: ${String(codeOf(error))}.`, { cause: error });
  });
  let [count, part] = [0, ""];
  try {
    for await (const line of lines) {
      part += line + lineEnd;
      count += 1;
      if (part.length < partChars) continue;
      await file.appendFile(part);
      part = "";
    }
    await file.appendFile(part);
    await file.sync();
    return count;
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}
