import { byOperator } from "../../domain/audit/audit-event.ts";
import type { UserRecord } from "../../domain/user/moving/user-record.ts";
import { type Command, stringOption } from "../command.ts";
import { presentRecord } from "../moving/ndjson.ts";
import { printError } from "../output.ts";
import { withCore } from "../with-core.ts";
import { outOption, writeLines } from "../write-lines.ts";

/** `countersign user export`. */
export const userExport: Command = {
  name: "user export",
  operands: [],
  summary: "write all users, with fields and password hashes, for `user import`",
  details: [
    "One JSON object a line, in the order of the ids. It holds password hashes, at which",
    "can be guessed: keep it as you keep the database. The audit trail tells of each export.",
  ],
  options: outOption,
  async run(input) {
    const count = await withCore(async ({ exportUsers }) =>
      writeLines(toLines(exportUsers(byOperator)), stringOption(input, "out")),
    );
    printError(`wrote ${count} users, with their password hashes`);
    return 0;
  },
};

async function* toLines(users: AsyncIterable<UserRecord>): AsyncGenerator<string> {
  for await (const user of users) yield presentRecord(user);
}
