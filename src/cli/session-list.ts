import type { Session } from "../domain/session/session.ts";
import { type Command, hasOption, jsonOption } from "./command.ts";
import { printError, printJson } from "./output.ts";
import { presentTime } from "./present-time.ts";
import { createTable } from "./table.ts";
import { withCore } from "./with-core.ts";

/** `countersign session list`. */
export const sessionList: Command = {
  name: "session list",
  operands: ["NAME"],
  summary: "list a user's live sessions, the newest first",
  options: jsonOption,
  async run(input) {
    const sessions = await withCore(async (core) => {
      const { id } = await core.users.get(input.operands[0] ?? "");
      return core.sessions.list(id);
    });
    if (sessions.length === 0) printError("The user has no live sessions.");
    const table = createTable(["ID", "CLIENT", "BEGAN", "LAST USED", "ADDRESS", "USER AGENT"]);
    for (const session of sessions) {
      if (hasOption(input, "json")) printJson(presentSession(session));
      else {
        const { id, clientId, createdAt, lastUsedAt, clientAddress, userAgent } = session;
        const times = [presentTime(createdAt), presentTime(lastUsedAt)];
        table.add([id, clientId, ...times, clientAddress ?? "-", userAgent ?? "-"]);
      }
    }
    if (sessions.length > 0 && !hasOption(input, "json")) table.end();
    return 0;
  },
};

/** As REST shows it. */
function presentSession(session: Session): Record<string, unknown> {
  return {
    id: session.id,
    client_id: session.clientId,
    created_at: session.createdAt,
    last_used_at: session.lastUsedAt,
    idle_expires_at: session.idleExpiresAt,
    expires_at: session.expiresAt,
    client_address: session.clientAddress,
    user_agent: session.userAgent,
  };
}
