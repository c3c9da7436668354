import { byOperator } from "../domain/audit/audit-event.ts";
import { isUserStatus, userStatuses, loginNameOf } from "../domain/user/user.ts";
import { type Command, hasOption, jsonOption, UsageError } from "./command.ts";
import { printJson, printLine } from "./output.ts";
import { presentUser } from "./present-user.ts";
import { withCore } from "./with-core.ts";

/** `countersign user set-status`. */
export const userSetStatus: Command = {
  name: "user set-status",
  operands: ["NAME", "STATUS"],
  summary: "set a user's status and end the user's sessions",
  details: [`STATUS is one of ${userStatuses.join(", ")}. Only active users can sign in.`],
  options: jsonOption,
  async run(input) {
    const [name = "", status = ""] = input.operands;
    if (!isUserStatus(status)) throw new UsageError(`The status must be one of ${userStatuses.join(", ")}.`);
    const user = await withCore(({ users }) => users.setStatus(name, status, byOperator));
    if (hasOption(input, "json")) printJson(presentUser(user));
    else printLine(`${loginNameOf(user)} (${user.id}) is ${user.status}`);
    return 0;
  },
};
