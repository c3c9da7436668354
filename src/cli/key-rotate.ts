import { byOperator } from "../domain/audit/audit-event.ts";
import { type Command, hasOption, jsonOption } from "./command.ts";
import { printJson, printLine } from "./output.ts";
import { withCore } from "./with-core.ts";

/** `countersign key rotate`. */
export const keyRotate: Command = {
  name: "key rotate",
  operands: [],
  summary: "make a new signing key, which signs after 15 minutes",
  details: [
    "The service does this by itself when a key has signed for SIGNING_KEY_LIFETIME. While a",
    "published key waits for its time to sign, no other is made.",
  ],
  options: jsonOption,
  async run(input) {
    const { made, key } = await withCore(({ keys }) => keys.rotate(byOperator));
    if (hasOption(input, "json")) {
      printJson({ kid: key.kid, alg: key.algorithm, made, signs_from: key.signsFrom });
      return 0;
    }
    const seconds = key.signsInSeconds;
    const when = seconds === 0 ? "at once" : `in ${minutes(seconds)}`;
    printLine(`a new key is published${made ? "" : " already"}; it signs ${when}`);
    return 0;
  },
};

function minutes(seconds: number): string {
  const count = Math.ceil(seconds / 60);
  return count === 1 ? "1 minute" : `${count} minutes`;
}
