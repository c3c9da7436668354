import { byOperator } from "../domain/audit/audit-event.ts";
import { type Command, hasOption, jsonOption, UsageError } from "./command.ts";
import { printJson, printLine } from "./output.ts";
import { withCore } from "./with-core.ts";

/** `countersign recover`. */
export const recoverCommand: Command = {
  name: "recover",
  operands: [],
  summary: "after a restore: end all sessions, replace all signing keys",
  details: [
    "A restored database has forgotten which sessions had ended, which refresh tokens had been",
    "used, which tokens had been revoked and which signing keys had been dropped. Everybody",
    "has to sign in again, and no older token is accepted any more. You may run it again at any",
    "time, also while the service runs.",
    "",
    "Passwords, suspensions and clients are as the backup has them: change again what was",
    "changed since.",
  ],
  options: { yes: { help: "do it: without this, nothing is done" }, ...jsonOption },
  async run(input) {
    if (!hasOption(input, "yes")) {
      throw new UsageError("It ends the sessions of all users and replaces every signing key: add --yes.");
    }
    const { keys, sessions } = await withCore(async (core) => ({
      // First the keys: nothing that is issued from here on may be signed by a key of the backup.
      keys: await core.keys.replaceAll(byOperator),
      sessions: await core.users.endAllSessions(byOperator),
    }));
    if (hasOption(input, "json")) {
      const { users, sessionsEnded } = sessions;
      printJson({ users, sessions_ended: sessionsEnded, dropped_kids: keys.droppedKids, kid: keys.kid });
    } else {
      printLine(`ended ${sessions.sessionsEnded} sessions of ${sessions.users} users`);
      printLine(`dropped ${keys.droppedKids.length} signing keys; ${keys.kid} signs`);
    }
    return 0;
  },
};
