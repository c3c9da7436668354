import { targetOptions } from "../calling/target.ts";
import { withApi } from "../calling/with-api.ts";
import { type Command, hasOption, jsonOption, stringOption, UsageError } from "../command.ts";
import { printJson, printLine } from "../output.ts";
import { findUser, idOption, nameDetail } from "./user-operand.ts";

/** `countersign session revoke`. */
export const sessionRevoke: Command = {
  name: "session revoke",
  alias: "user end-sessions",
  operands: ["NAME"],
  summary: "end one of a user's sessions, or all of them",
  details: [nameDetail],
  options: {
    session: { value: "ID", help: "the session, as session list shows it" },
    all: { help: "all of them, and logins that are in progress" },
    ...idOption,
    ...jsonOption,
    ...targetOptions,
  },
  async run(input) {
    const sessionId = stringOption(input, "session");
    if ((sessionId === undefined) !== hasOption(input, "all")) {
      throw new UsageError("Give either --session or --all.");
    }
    return withApi(input, async (api) => {
      const { id: userId } = await findUser(api, input, input.operands[0] ?? "");
      if (sessionId === undefined) await api.users.endUserSessions({ userId });
      else await api.users.endUserSession({ userId, sessionId });
      if (hasOption(input, "json")) printJson({ user_id: userId, revoked: sessionId ?? "all" });
      else printLine("revoked");
      return 0;
    });
  },
};
