import { targetOptions } from "../calling/target.ts";
import { withApi } from "../calling/with-api.ts";
import { type Command, hasOption, jsonOption } from "../command.ts";
import { passwordOptions, readNewPassword } from "../read-password.ts";
import { reportUser } from "./report-user.ts";
import { findUser, idOption, nameDetail } from "./user-operand.ts";

/** `countersign user set-password`. */
export const userSetPassword: Command = {
  name: "user set-password",
  operands: ["NAME"],
  summary: "set a user's password and end the user's sessions",
  details: [
    nameDetail,
    "On a terminal it asks for the password. Otherwise the password is all of standard input,",
    "without the line break at its end.",
  ],
  options: {
    "must-change-password": { help: "have the user choose another one at the next login" },
    ...passwordOptions,
    ...idOption,
    ...jsonOption,
    ...targetOptions,
  },
  async run(input) {
    const { password, isGenerated } = await readNewPassword(input);
    const mustChangePassword = hasOption(input, "must-change-password");
    return withApi(input, async (api) => {
      const { id: userId } = await findUser(api, input, input.operands[0] ?? "");
      const user = await api.users.setUserPassword({ userId, password, mustChangePassword });
      reportUser(api, input, "set the password of", user, isGenerated ? password : null);
      return 0;
    });
  },
};
