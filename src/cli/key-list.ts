import { type Command, hasOption, jsonOption } from "./command.ts";
import { printError, printJson } from "./output.ts";
import { presentTime } from "./present-time.ts";
import { createTable } from "./table.ts";
import { withCore } from "./with-core.ts";

/** `countersign key list`. */
export const keyList: Command = {
  name: "key list",
  operands: [],
  summary: "list the signing keys that are published",
  options: jsonOption,
  async run(input) {
    const keys = await withCore((core) => core.keys.list());
    if (keys.length === 0) printError("There are no signing keys yet: the service makes one at its start.");
    const table = createTable(["KID", "ALGORITHM", "STATE", "SIGNS FROM", "FORGOTTEN AT"]);
    for (const { kid, algorithm, state, signsFrom, forgottenAt, sealedBy } of keys) {
      if (hasOption(input, "json")) {
        const times = { signs_from: signsFrom, forgotten_at: forgottenAt };
        printJson({ kid, alg: algorithm, state, ...times, sealed_by: sealedBy });
      } else {
        table.add([kid, algorithm, state, presentTime(signsFrom), presentTime(forgottenAt)]);
      }
    }
    if (keys.length > 0 && !hasOption(input, "json")) table.end();
    return 0;
  },
};
