import { createReadStream } from "node:fs";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { generatePassword } from "../domain/user/users.ts";
import { type CommandInput, hasOption, stringOption, UsageError } from "./command.ts";

/** The options of every command that sets a password. */
export const passwordOptions = {
  "generate-password": { help: "make a random password and print it once" },
  "password-file": { value: "FILE", help: "read the password from this file" },
} as const;

const bytesMax = 65_536;

/** The password that a command is to set. @throws as readPassword does */
export async function readNewPassword(
  input: CommandInput,
): Promise<{ readonly password: string; readonly isGenerated: boolean }> {
  const path = stringOption(input, "password-file");
  if (hasOption(input, "generate-password")) {
    if (path !== undefined) throw new UsageError("Give either --generate-password or --password-file.");
    return { password: generatePassword(), isGenerated: true };
  }
  return {
    password: path === undefined ? await readPassword() : await readPasswordFile(path),
    isGenerated: false,
  };
}

/** The password of a file, without the line break at its end. @throws UsageError where there is none */
export function readPasswordFile(path: string): Promise<string> {
  return readAll(createReadStream(path), path);
}

/**
 * Reads a password: asked for twice on a terminal, without showing it; otherwise all of standard
 * input, without the line break at its end. A password is never an argument: process lists show arguments.
 *
 * @param isNew whether it is asked for twice: one that is set; one that is there already is asked for once
 * @throws UsageError if none came by standard input; Error if the two typed passwords differ, or none was typed
 */
export async function readPassword(isNew = true): Promise<string> {
  if (process.stdin.isTTY !== true) return readAll(process.stdin);
  const first = await ask("Password: ");
  if (isNew && (await ask("Again: ")) !== first) throw new Error("The two passwords differ.");
  return first;
}

async function readAll(input: AsyncIterable<Buffer>, path?: string): Promise<string> {
  const source = path ?? "standard input";
  const chunks: Buffer[] = [];
  let bytes = 0;
  const from = path === undefined ? "Standard input" : path;
  for await (const chunk of input) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) throw new UsageError(`${from} holds far more than a password.`);
    chunks.push(chunk);
  }
  const text = decode(Buffer.concat(chunks), source).replace(/\r?\n$/, "");
  if (text !== "") return text;
  throw new UsageError(
    path === undefined
      ? "No password came by standard input; --generate-password makes one."
      : `${path} holds no password.`,
  );
}

function decode(bytes: Buffer, source: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new UsageError(`The password that came by ${source} is not UTF-8 text.`);
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
