import { targetOptions } from "../calling/target.ts";
import { withApi } from "../calling/with-api.ts";
import { type Command, hasOption, jsonOption } from "../command.ts";
import { printError, printJson } from "../output.ts";
import { presentTime } from "../present-time.ts";
import { createTable } from "../table.ts";
import { findUser, idOption, nameDetail } from "./user-operand.ts";

/** `countersign session list`. */
export const sessionList: Command = {
  name: "session list",
  alias: "user sessions",
  operands: ["NAME"],
  summary: "list a user's live sessions, the newest first",
  details: [nameDetail],
  options: { ...idOption, ...jsonOption, ...targetOptions },
  run: (input) =>
    withApi(input, async (api) => {
      const { id: userId } = await findUser(api, input, input.operands[0] ?? "");
      const sessions = (await api.users.listUserSessions({ userId })).sessions.map((session) =>
        api.toJson(session),
      );
      const table = createTable(["ID", "CLIENT", "BEGAN", "LAST USED", "ADDRESS", "USER AGENT"]);
      for (const session of sessions) {
        if (hasOption(input, "json")) printJson(session);
        else table.add(toCells(session));
      }
      if (sessions.length === 0) printError("The user has no live sessions.");
      else if (!hasOption(input, "json")) table.end();
      return 0;
    }),
};

function toCells(session: Readonly<Record<string, unknown>>): string[] {
  const cell = (name: string): string => textOf(session[name]);
  const times = ["created_at", "last_used_at"].map((name) => presentTime(cell(name)));
  return [cell("id"), cell("client_id"), ...times, cell("client_address"), cell("user_agent")];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "-";
}
