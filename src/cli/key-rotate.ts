import type { Command } from "./command.ts";
import { printLine } from "./output.ts";
import { withAdmin } from "./with-admin.ts";

/** `countersign key rotate`. */
export const keyRotate: Command = {
  name: "key rotate",
  operands: [],
  summary: "make a new signing key, which signs when every verifier can know it",
  details: ["The service does it by itself when a key has signed for SIGNING_KEY_LIFETIME."],
  options: {},
  async run() {
    const seconds = await withAdmin(({ keys }) => keys.rotate());
    const when = seconds === 0 ? "at once" : `in ${Math.ceil(seconds / 60)} minutes`;
    printLine(`a new key is published; it signs ${when}`);
    return 0;
  },
};
