import type { UserProfile } from "../domain/user/user.ts";
import { type Command, hasOption, jsonOption } from "./command.ts";
import { isOutputClosed, printError, printJson } from "./output.ts";
import { presentTime } from "./present-time.ts";
import { presentUser } from "./present-user.ts";
import { createTable } from "./table.ts";
import { withCore } from "./with-core.ts";

/** `countersign user list`. */
export const userList: Command = {
  name: "user list",
  operands: [],
  summary: "list the users, by name",
  options: jsonOption,
  async run(input) {
    const table = createTable(["USERNAME", "STATUS", "ROLES", "E-MAIL", "LAST LOGIN", "ID"]);
    let count = 0;
    await withCore(async ({ users }) => {
      for await (const user of users.list()) {
        if (isOutputClosed()) return;
        count += 1;
        if (hasOption(input, "json")) printJson(presentUser(user));
        else table.add(toCells(user));
      }
    });
    if (count === 0) printError("There are no users yet.");
    else if (!hasOption(input, "json")) table.end();
    return 0;
  },
};

function toCells(user: UserProfile): string[] {
  return [
    user.username ?? "-",
    user.status,
    user.roles.join(",") || "-",
    user.email ?? "-",
    presentTime(user.lastLoginAt, "never"),
    user.id,
  ];
}
