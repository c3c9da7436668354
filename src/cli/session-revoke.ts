import { byOperator } from "../domain/audit/audit-event.ts";
import { AppError } from "../errors/app-error.ts";
import { type Command, hasOption, jsonOption, stringOption, UsageError } from "./command.ts";
import { printJson, printLine } from "./output.ts";
import { withCore } from "./with-core.ts";

/** `countersign session revoke`. */
export const sessionRevoke: Command = {
  name: "session revoke",
  operands: ["NAME"],
  summary: "end one of a user's sessions, or all of them",
  options: {
    session: { value: "ID", help: "the session, as session list shows it" },
    all: { help: "all of them, and logins that are in progress" },
    ...jsonOption,
  },
  async run(input) {
    const sessionId = stringOption(input, "session");
    const all = hasOption(input, "all");
    if ((sessionId === undefined) !== all) throw new UsageError("Give either --session or --all.");
    const userId = await withCore(async ({ users, sessions }) => {
      const { id } = await users.get(input.operands[0] ?? "");
      if (sessionId === undefined) await sessions.endAll(id, byOperator);
      else if (!(await sessions.end(id, sessionId, { how: "revoked", by: byOperator }))) {
        throw new AppError("not_found", "The user has no such session.");
      }
      return id;
    });
    if (hasOption(input, "json")) printJson({ user_id: userId, revoked: sessionId ?? "all" });
    else printLine("revoked");
    return 0;
  },
};
