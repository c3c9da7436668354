import { byOperator } from "../domain/audit/audit-event.ts";
import { loginNameOf } from "../domain/user/user.ts";
import { generatePassword } from "../domain/user/users.ts";
import { type Command, hasOption, jsonOption } from "./command.ts";
import { printJson, printLine } from "./output.ts";
import { presentUser } from "./present-user.ts";
import { generateOption, readPassword } from "./read-password.ts";
import { withCore } from "./with-core.ts";

/** `countersign user set-password`. */
export const userSetPassword: Command = {
  name: "user set-password",
  operands: ["NAME"],
  summary: "set a user's password and end the user's sessions",
  details: [
    "On a terminal it asks for the password. Otherwise the password is all of standard input,",
    "without the line break at its end.",
  ],
  options: { ...generateOption, ...jsonOption },
  async run(input) {
    const generated = hasOption(input, "generate-password") ? generatePassword() : null;
    const password = generated ?? (await readPassword());
    const user = await withCore(({ users }) =>
      users.setPassword(input.operands[0] ?? "", password, byOperator),
    );
    if (hasOption(input, "json")) {
      printJson({ ...presentUser(user), ...(generated === null ? {} : { password: generated }) });
    } else {
      printLine(`set the password of ${loginNameOf(user)} (${user.id})`);
      if (generated !== null) printLine(`password: ${generated}`);
    }
    return 0;
  },
};
