import { targetOptions } from "../calling/target.ts";
import { withApi } from "../calling/with-api.ts";
import { type Command, hasOption, jsonOption } from "../command.ts";
import { printError, printJson, printLine } from "../output.ts";

/** `countersign key reseal`. */
export const keyReseal: Command = {
  name: "key reseal",
  operands: [],
  summary: "seal the signing keys under the first entry of SECRET_KEY",
  details: [
    "The service does this by itself. Afterwards no signing key depends on another entry; the",
    "command fails if one is left that SECRET_KEY cannot open.",
  ],
  options: { ...jsonOption, ...targetOptions },
  run: (input) =>
    withApi(input, async (api) => {
      const answer = await api.keys.resealKeys({});
      const { resealedKids, unopenableKids } = answer;
      if (hasOption(input, "json")) printJson(api.toJson(answer));
      else {
        printLine(`sealed ${resealedKids.length} signing keys anew`);
        for (const kid of unopenableKids) printError(`SECRET_KEY does not open ${kid}`);
      }
      return unopenableKids.length === 0 ? 0 : 1;
    }),
};
