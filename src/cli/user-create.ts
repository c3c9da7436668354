import { byOperator } from "../domain/audit/audit-event.ts";
import { isUserStatus, userStatuses, loginNameOf } from "../domain/user/user.ts";
import { generatePassword } from "../domain/user/users.ts";
import { type Command, hasOption, jsonOption, stringOption, stringOptions, UsageError } from "./command.ts";
import { printJson, printLine } from "./output.ts";
import { presentUser } from "./present-user.ts";
import { generateOption, readPassword } from "./read-password.ts";
import { withCore } from "./with-core.ts";

/** `countersign user create`. */
export const userCreate: Command = {
  name: "user create",
  operands: ["NAME"],
  summary: "create a user; the password is read from standard input",
  details: [
    "On a terminal it asks for the password. Otherwise the password is all of standard",
    "input, without the line break at its end:",
    "",
    "  countersign user create alice --role admin < password-file",
  ],
  options: {
    email: { value: "ADDRESS", help: "an e-mail address, with which the user can sign in too" },
    role: { value: "ROLE", multiple: true, help: "a role; can be given several times" },
    status: { value: "STATUS", help: `${userStatuses.join(", ")}; active by default` },
    ...generateOption,
    ...jsonOption,
  },
  async run(input) {
    const status = stringOption(input, "status") ?? "active";
    if (!isUserStatus(status)) throw new UsageError(`The status must be one of ${userStatuses.join(", ")}.`);
    const generated = hasOption(input, "generate-password") ? generatePassword() : null;
    const draft = {
      username: input.operands[0] ?? "",
      email: stringOption(input, "email") ?? null,
      password: generated ?? (await readPassword()),
      status,
      roles: stringOptions(input, "role"),
    };
    const user = await withCore(({ users }) => users.create(draft, byOperator));
    if (hasOption(input, "json")) {
      printJson({ ...presentUser(user), ...(generated === null ? {} : { password: generated }) });
    } else {
      printLine(`created ${loginNameOf(user)} (${user.id})`);
      if (generated !== null) printLine(`password: ${generated}`);
    }
    return 0;
  },
};
