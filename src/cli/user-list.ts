import { type Command, printLine } from "./command.ts";
import { presentUser } from "./present-user.ts";
import { withUsers } from "./with-users.ts";

/** `countersign user list`. */
export const userList: Command = {
  usage: "user list [--json]",
  summary: "list the users, one a line",
  options: { json: { type: "boolean" } },
  operandCount: 0,
  async run(input) {
    await withUsers(async (users) => {
      for await (const user of users.list()) {
        if (input.options["json"] === true) printLine(JSON.stringify(presentUser(user)));
        else
          printLine(
            [
              user.id,
              user.status.padEnd(11),
              user.username,
              user.email ?? "-",
              user.roles.join(",") || "-",
            ].join("  "),
          );
      }
    });
    return 0;
  },
};
