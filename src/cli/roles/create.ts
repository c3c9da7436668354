import { targetOptions } from "../calling/target.ts";
import { withApi } from "../calling/with-api.ts";
import { type Command, jsonOption } from "../command.ts";
import { contentOptions, readContent, reportRole } from "./report-role.ts";

/** `countersign role create`. */
export const roleCreate: Command = {
  name: "role create",
  operands: ["NAME"],
  summary: "create a role: a named set of permissions",
  details: [
    "Permissions of Countersign, such as users.read, or of your own APIs, with a colon:",
    "",
    "  countersign role create desk --permission users.read --permission shop:refund",
  ],
  options: { ...contentOptions, ...jsonOption, ...targetOptions },
  run: (input) =>
    withApi(input, async (api) => {
      const [name = ""] = input.operands;
      reportRole(api, input, "created", await api.roles.createRole({ name, ...readContent(input) }));
      return 0;
    }),
};
