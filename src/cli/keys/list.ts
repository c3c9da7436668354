import { targetOptions } from "../calling/target.ts";
import { withApi } from "../calling/with-api.ts";
import { type Command, hasOption, jsonOption } from "../command.ts";
import { printError, printJson } from "../output.ts";
import { presentTime } from "../present-time.ts";
import { createTable } from "../table.ts";

/** `countersign key list`. */
export const keyList: Command = {
  name: "key list",
  operands: [],
  summary: "list the signing keys that are published",
  options: { ...jsonOption, ...targetOptions },
  run: (input) =>
    withApi(input, async (api) => {
      const { keys } = await api.keys.listKeys({});
      if (keys.length === 0) printError("There are no signing keys yet: the service makes one at its start.");
      const table = createTable(["KID", "ALGORITHM", "STATE", "SIGNS FROM", "FORGOTTEN AT"]);
      for (const key of keys) {
        const json = api.toJson(key);
        const time = (name: string): string =>
          presentTime(typeof json[name] === "string" ? json[name] : null);
        if (hasOption(input, "json")) printJson(json);
        else table.add([key.kid, key.alg, key.state, time("signs_from"), time("forgotten_at")]);
      }
      if (keys.length > 0 && !hasOption(input, "json")) table.end();
      return 0;
    }),
};
