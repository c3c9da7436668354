import { targetOptions } from "../calling/target.ts";
import { withApi } from "../calling/with-api.ts";
import { type Command, jsonOption, yesOption } from "../command.ts";
import { confirm } from "../confirm.ts";
import { reportRole } from "./report-role.ts";

/** `countersign role delete`. */
export const roleDelete: Command = {
  name: "role delete",
  operands: ["NAME"],
  summary: "delete a role that no user has",
  options: { ...yesOption, ...jsonOption, ...targetOptions },
  run: (input) =>
    withApi(input, async (api) => {
      const role = await api.roles.getRole({ name: input.operands[0] ?? "" });
      await confirm(input, `Delete the role ${role.name}?`);
      await api.roles.deleteRole({ name: role.name, etag: role.etag });
      reportRole(api, input, "deleted", role);
      return 0;
    }),
};
