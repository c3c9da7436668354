import { targetOptions } from "../calling/target.ts";
import { withApi } from "../calling/with-api.ts";
import { type Command, hasOption, jsonOption, UsageError } from "../command.ts";
import { reportUser } from "./report-user.ts";
import { findUser, idOption, nameDetail } from "./user-operand.ts";

/** `countersign user set-roles`. */
export const userSetRoles: Command = {
  name: "user set-roles",
  operands: ["NAME", "[ROLE]..."],
  summary: "set a user's roles: these, and no other",
  details: [nameDetail, "The roles hold at once. Sessions go on."],
  options: {
    none: { help: "take all roles away" },
    ...idOption,
    ...jsonOption,
    ...targetOptions,
  },
  async run(input) {
    const [name = "", ...roles] = input.operands;
    if ((roles.length === 0) !== hasOption(input, "none")) {
      throw new UsageError("Give the roles that the user is to have, or --none.");
    }
    return withApi(input, async (api) => {
      const { id: userId } = await findUser(api, input, name);
      const user = await api.users.updateUser({ userId, roles, updateMask: { paths: ["roles"] } });
      reportUser(api, input, roles.length === 0 ? "took all roles of" : `gave ${roles.join(", ")} to`, user);
      return 0;
    });
  },
};
