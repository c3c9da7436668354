import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { UsageError } from "./command.ts";

/** The option of every command that sets a password. */
export const generateOption = {
  "generate-password": { help: "make a random password and print it once" },
} as const;

const bytesMax = 65_536;

/**
 * Reads a password: asked for twice on a terminal, without showing it; otherwise all of standard
 * input, without the line break at its end. A password is never an argument: process lists show arguments.
 *
 * @throws UsageError if none came by standard input; Error if the two typed passwords differ, or none was typed
 */
export async function readPassword(): Promise<string> {
  if (process.stdin.isTTY !== true) return readAll(process.stdin);
  const first = await ask("Password: ");
  if ((await ask("Again: ")) !== first) throw new Error("The two passwords differ.");
  return first;
}

async function readAll(input: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) throw new UsageError("Standard input holds far more than a password.");
    chunks.push(chunk);
  }
  const text = decode(Buffer.concat(chunks)).replace(/\r?\n$/, "");
  if (text !== "") return text;
  throw new UsageError("No password came by standard input; --generate-password makes one.");
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new UsageError("The password that came by standard input is not UTF-8 text.");
  }
}

async function ask(question: string): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  // Before the question, so that nothing typed early is shown.
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  // Ctrl-C and Ctrl-D close it; without this the promise would stay pending.
  const closed = Promise.withResolvers<never>();
  lines.once("close", () => closed.reject(new Error("No password was typed.")));
  process.stderr.write(question);
  try {
    return await Promise.race([lines.question(""), closed.promise]);
  } finally {
    closed.promise.catch(() => undefined);
    lines.close();
    process.stderr.write("\n");
  }
}
