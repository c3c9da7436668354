import { byOperator } from "../domain/audit/audit-event.ts";
import { type Command, hasOption, jsonOption } from "./command.ts";
import { printError, printJson, printLine } from "./output.ts";
import { withCore } from "./with-core.ts";

/** `countersign key reseal`. */
export const keyReseal: Command = {
  name: "key reseal",
  operands: [],
  summary: "seal the signing keys under the first entry of SECRET_KEY",
  details: [
    "The service does this by itself. Afterwards no signing key depends on another entry; the",
    "command fails if one is left that SECRET_KEY cannot open.",
  ],
  options: jsonOption,
  async run(input) {
    const { resealedKids, unopenableKids } = await withCore(({ keys }) => keys.reseal(byOperator));
    if (hasOption(input, "json")) {
      printJson({ resealed_kids: resealedKids, unopenable_kids: unopenableKids });
    } else {
      printLine(`sealed ${resealedKids.length} signing keys anew`);
      for (const kid of unopenableKids) printError(`SECRET_KEY does not open ${kid}`);
    }
    return unopenableKids.length === 0 ? 0 : 1;
  },
};
