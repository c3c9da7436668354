import { byOperator } from "../domain/audit/audit-event.ts";
import { type Command, hasOption, jsonOption } from "./command.ts";
import { printJson, printLine } from "./output.ts";
import { withCore } from "./with-core.ts";

/** `countersign client delete`. */
export const clientDelete: Command = {
  name: "client delete",
  operands: ["ID"],
  summary: "delete a client and end the sessions that it began",
  options: jsonOption,
  async run(input) {
    const id = input.operands[0] ?? "";
    await withCore(({ clients }) => clients.delete(id, byOperator));
    if (hasOption(input, "json")) printJson({ deleted: id });
    else printLine(`deleted ${id}`);
    return 0;
  },
};
