import { targetOptions } from "../calling/target.ts";
import { withApi } from "../calling/with-api.ts";
import { type Command, hasOption, jsonOption, stringOption, stringOptions } from "../command.ts";
import { passwordOptions, readNewPassword } from "../read-password.ts";
import { fieldOptions, readClaims } from "./fields.ts";
import { reportUser } from "./report-user.ts";

/** `countersign user create`. */
export const userCreate: Command = {
  name: "user create",
  operands: ["NAME"],
  summary: "create a user; the password is read from standard input",
  details: [
    "NAME is a name or an e-mail address. On a terminal it asks for the password. Otherwise",
    "the password is all of standard input, without the line break at its end:",
    "",
    "  countersign user create alice --role support < password-file",
  ],
  options: {
    email: { value: "ADDRESS", help: "an e-mail address, with which the user can sign in too" },
    ...fieldOptions,
    role: { value: "ROLE", multiple: true, help: "a role; can be given several times" },
    status: { value: "STATUS", help: "active, or pending; active by default" },
    "must-change-password": { help: "have the user choose another password at the first login" },
    "without-password": { help: "nobody can sign in as the user until a password is set" },
    ...passwordOptions,
    ...jsonOption,
    ...targetOptions,
  },
  async run(input) {
    const [name = ""] = input.operands;
    const address = name.includes("@") ? name : stringOption(input, "email");
    const claims = readClaims(input);
    const [displayName, locale] = [stringOption(input, "display-name"), stringOption(input, "locale")];
    const request = {
      ...(name.includes("@") ? {} : { username: name }),
      ...(address === undefined ? {} : { email: address }),
      ...(displayName === undefined ? {} : { displayName }),
      ...(locale === undefined ? {} : { locale }),
      ...(claims === undefined ? {} : { claims }),
      roles: stringOptions(input, "role"),
      status: stringOption(input, "status") ?? "",
      mustChangePassword: hasOption(input, "must-change-password"),
    };
    const { password, isGenerated } = hasOption(input, "without-password")
      ? { password: "", isGenerated: false }
      : await readNewPassword(input);
    return withApi(input, async (api) => {
      const user = await api.users.createUser({ ...request, password });
      reportUser(api, input, "created", user, isGenerated ? password : null);
      return 0;
    });
  },
};
