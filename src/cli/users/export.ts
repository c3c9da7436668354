import { open, rm } from "node:fs/promises";
import { byOperator } from "../../domain/audit/audit-event.ts";
import type { UserRecord } from "../../domain/user/moving/user-record.ts";
import { codeOf } from "../../lib/files.ts";
import { type Command, stringOption } from "../command.ts";
import { presentRecord } from "../moving/ndjson.ts";
import { isOutputClosed, printError, printInTurn } from "../output.ts";
import { withCore } from "../with-core.ts";

const partChars = 65_536;

/** `countersign user export`. */
export const userExport: Command = {
  name: "user export",
  operands: [],
  summary: "write all users, with fields and password hashes, for `user import`",
  details: [
    "One JSON object a line, in the order of the ids. It holds password hashes, at which",
    "can be guessed: keep it as you keep the database. The audit trail tells of each export.",
  ],
  options: {
    out: { value: "FILE", help: "a new file that its owner alone may read; standard output by default" },
  },
  async run(input) {
    const path = stringOption(input, "out");
    const count = await withCore(async ({ exportUsers }) => {
      const lines = toLines(exportUsers(byOperator));
      return path === undefined ? printAll(lines) : writeAll(lines, path);
    });
    printError(`wrote ${count} users, with their password hashes`);
    return 0;
  },
};

async function* toLines(users: AsyncIterable<UserRecord>): AsyncGenerator<string> {
  for await (const user of users) yield presentRecord(user);
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
async function writeAll(lines: AsyncIterable<string>, path: string): Promise<number> {
  const file = await open(path, "wx", 0o600).catch((error: unknown) => {
    throw new Error(`${path} cannot be made: ${String(codeOf(error))}.`, { cause: error });
  });
  let [count, part] = [0, ""];
  try {
    for await (const line of lines) {
      part += `${line}\n`;
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
