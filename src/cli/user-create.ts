import { isUserStatus, userStatuses } from "../domain/user/user.ts";
import { generatePassword } from "../domain/user/users.ts";
import { type Command, printLine, stringOption, UsageError } from "./command.ts";
import { presentUser } from "./present-user.ts";
import { readPassword } from "./read-password.ts";
import { withUsers } from "./with-users.ts";

/** `countersign user create`. */
export const userCreate: Command = {
  usage:
    "user create NAME [--email ADDRESS] [--role ROLE]... [--status STATUS] [--generate-password] [--json]",
  summary: "create a user; the password comes by standard input",
  options: {
    email: { type: "string" },
    role: { type: "string", multiple: true },
    status: { type: "string", default: "active" },
    "generate-password": { type: "boolean" },
    json: { type: "boolean" },
  },
  operandCount: 1,
  async run(input) {
    const status = stringOption(input, "status") ?? "";
    if (!isUserStatus(status)) throw new UsageError(`The status must be one of ${userStatuses.join(", ")}.`);
    const roles = input.options["role"];
    const generated = input.options["generate-password"] === true ? generatePassword() : null;
    const draft = {
      username: input.operands[0] ?? "",
      email: stringOption(input, "email") ?? null,
      password: generated ?? (await readPassword()),
      status,
      roles: Array.isArray(roles) ? roles : [],
    };
    const user = await withUsers((users) => users.create(draft));
    if (input.options["json"] === true) {
      printLine(
        JSON.stringify({ ...presentUser(user), ...(generated === null ? {} : { password: generated }) }),
      );
    } else {
      printLine(`created ${user.username} (${user.id})`);
      if (generated !== null) printLine(`password: ${generated}`);
    }
    return 0;
  },
};
