import { isUserStatus, userStatuses } from "../domain/user/user.ts";
import { type Command, printLine, UsageError } from "./command.ts";
import { withUsers } from "./with-users.ts";

/** `countersign user set-status`. */
export const userSetStatus: Command = {
  usage: `user set-status NAME ${userStatuses.join("|")}`,
  summary: "set a user's status; every session of the user ends",
  options: {},
  operandCount: 2,
  async run({ operands: [name = "", status = ""] }) {
    if (!isUserStatus(status)) throw new UsageError(`The status must be one of ${userStatuses.join(", ")}.`);
    const user = await withUsers((users) => users.setStatus(name, status));
    printLine(`${user.username} (${user.id}) is ${user.status}`);
    return 0;
  },
};
