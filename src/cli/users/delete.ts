import { targetOptions } from "../calling/target.ts";
import { withApi } from "../calling/with-api.ts";
import { type Command, jsonOption, yesOption } from "../command.ts";
import { confirm } from "../confirm.ts";
import { reportUser } from "./report-user.ts";
import { describeUser, findUser, idOption, nameDetail } from "./user-operand.ts";

/** `countersign user delete`. */
export const userDelete: Command = {
  name: "user delete",
  operands: ["NAME"],
  summary: "erase a user, with everything about the user but the audit trail",
  details: [nameDetail, "The audit trail keeps the id alone. The name and the address can be taken again."],
  options: { ...yesOption, ...idOption, ...jsonOption, ...targetOptions },
  run: (input) =>
    withApi(input, async (api) => {
      const user = await findUser(api, input, input.operands[0] ?? "");
      await confirm(input, `Erase ${describeUser(user)} for good?`);
      await api.users.deleteUser({ userId: user.id, etag: user.etag });
      reportUser(api, input, "erased", user);
      return 0;
    }),
};
