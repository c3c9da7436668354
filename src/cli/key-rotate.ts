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
    await withAdmin(({ keys }) => keys.rotate());
    printLine("a new key is published; it signs in 15 minutes");
    return 0;
  },
};
