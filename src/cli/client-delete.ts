import { changingOperator } from "../domain/role/administrator.ts";
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
    const sessionsEnded = await withCore(async ({ manageClients }) => {
      let deletion = await manageClients.delete({ id, etag: "", changer: changingOperator });
      while (deletion.finishedAt === null) deletion = await manageClients.proceedWithDeletion(id);
      return deletion.sessionsEnded;
    });
    if (hasOption(input, "json")) printJson({ deleted: id, sessions_ended: sessionsEnded });
    else printLine(`deleted ${id}`);
    return 0;
  },
};
