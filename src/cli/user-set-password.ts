import { generatePassword } from "../domain/user/users.ts";
import { type Command, printLine } from "./command.ts";
import { readPassword } from "./read-password.ts";
import { withUsers } from "./with-users.ts";

/** `countersign user set-password`. */
export const userSetPassword: Command = {
  usage: "user set-password NAME [--generate-password]",
  summary: "set a password, which comes by standard input; every session of the user ends",
  options: { "generate-password": { type: "boolean" } },
  operandCount: 1,
  async run(input) {
    const generated = input.options["generate-password"] === true ? generatePassword() : null;
    const password = generated ?? (await readPassword());
    const user = await withUsers((users) => users.setPassword(input.operands[0] ?? "", password));
    printLine(`set the password of ${user.username} (${user.id})`);
    if (generated !== null) printLine(`password: ${generated}`);
    return 0;
  },
};
