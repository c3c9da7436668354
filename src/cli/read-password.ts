import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { UsageError } from "./command.ts";

/**
 * Reads a password: asked for twice on a terminal, without showing it; otherwise all of standard
 * input, less the line break at its end. A password is never an argument: those are in every process list.
 */
export async function readPassword(): Promise<string> {
  if (process.stdin.isTTY !== true) return (await text(process.stdin)).replace(/\r?\n$/, "");
  const first = await ask("Password: ");
  if ((await ask("Again: ")) !== first) throw new UsageError("The two passwords differ.");
  return first;
}

async function ask(question: string): Promise<string> {
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await lines.question("");
  } finally {
    lines.close();
    process.stderr.write("\n");
  }
}
