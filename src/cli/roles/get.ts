import { targetOptions } from "../calling/target.ts";
import { withApi } from "../calling/with-api.ts";
import { type Command, hasOption, jsonOption } from "../command.ts";
import { printDetails } from "../details.ts";
import { printJson } from "../output.ts";

/** `countersign role get`. */
export const roleGet: Command = {
  name: "role get",
  operands: ["NAME"],
  summary: "show a role, whole",
  options: { ...jsonOption, ...targetOptions },
  run: (input) =>
    withApi(input, async (api) => {
      const role = api.toJson(await api.roles.getRole({ name: input.operands[0] ?? "" }));
      if (hasOption(input, "json")) printJson(role);
      else printDetails(role);
      return 0;
    }),
};
