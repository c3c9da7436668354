import { targetOptions } from "./calling/target.ts";
import { withApi } from "./calling/with-api.ts";
import { type Command, hasOption } from "./command.ts";
import { printText } from "./output.ts";

/** `countersign export-config`. */
export const exportConfigCommand: Command = {
  name: "export-config",
  operands: [],
  summary: "write roles, clients and users' roles as a file for `apply`",
  details: [
    "It holds no secrets. Of the users it has those who administer. --schema prints the JSON",
    "Schema of such a file instead, by which an editor checks and completes it.",
  ],
  options: { schema: { help: "print the JSON Schema of the file" }, ...targetOptions },
  async run(input) {
    const { configFileSchema, writeConfigFile } = await import("./applying/write-file.ts");
    if (hasOption(input, "schema")) {
      printText(JSON.stringify(configFileSchema(), null, 2));
      return 0;
    }
    return withApi(input, async (api) => {
      printText(await writeConfigFile(api));
      return 0;
    });
  },
};
