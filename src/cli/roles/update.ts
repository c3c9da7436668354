import { targetOptions } from "../calling/target.ts";
import { withApi } from "../calling/with-api.ts";
import { type Command, hasOption, jsonOption, UsageError } from "../command.ts";
import { contentOptions, readContent, reportRole } from "./report-role.ts";

/** `countersign role update`. */
export const roleUpdate: Command = {
  name: "role update",
  operands: ["NAME"],
  summary: "change a role's description, permissions or scopes",
  details: [
    "What is given takes the place of what there is: all permissions, if any is given. It holds",
    "at once for everybody who has the role. Built-in roles cannot be changed.",
  ],
  options: {
    ...contentOptions,
    "no-permissions": { help: "take all permissions away" },
    "no-scopes": { help: "take all scopes away" },
    ...jsonOption,
    ...targetOptions,
  },
  async run(input) {
    const content = readContent(input);
    for (const name of ["permissions", "scopes"] as const) {
      if (hasOption(input, `no-${name}`) && content[name].length > 0) {
        throw new UsageError(`Give either --no-${name} or the ${name}.`);
      }
    }
    const paths = [
      ...(input.options["description"] === undefined ? [] : ["description"]),
      ...(["permissions", "scopes"] as const).filter(
        (name) => content[name].length > 0 || hasOption(input, `no-${name}`),
      ),
    ];
    if (paths.length === 0) throw new UsageError("Say what is to be changed: --permission, for example.");
    return withApi(input, async (api) => {
      const [name = ""] = input.operands;
      const role = await api.roles.updateRole({ name, ...content, updateMask: { paths } });
      reportRole(api, input, "changed", role);
      return 0;
    });
  },
};
