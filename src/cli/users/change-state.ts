import type { ManagedUser } from "../../gen/countersign/v1/users_pb.ts";
import { targetOptions } from "../calling/target.ts";
import { type Api, withApi } from "../calling/with-api.ts";
import { type Command, jsonOption } from "../command.ts";
import { reportUser } from "./report-user.ts";
import { findUser, idOption, nameDetail } from "./user-operand.ts";

/** A command that needs to be told nothing but which user it is about. */
interface StateChange {
  readonly name: string;
  readonly summary: string;
  readonly details: readonly string[];
  /** What it has done. */
  readonly done: string;
  readonly change: (users: Api["users"], userId: string) => Promise<ManagedUser | null>;
}

function createCommand({ name, summary, details, done, change }: StateChange): Command {
  return {
    name,
    operands: ["NAME"],
    summary,
    details: [nameDetail, ...details],
    options: { ...idOption, ...jsonOption, ...targetOptions },
    run: (input) =>
      withApi(input, async (api) => {
        const user = await findUser(api, input, input.operands[0] ?? "");
        reportUser(api, input, done, (await change(api.users, user.id)) ?? user);
        return 0;
      }),
  };
}

/** `countersign user suspend`. */
export const userSuspend: Command = createCommand({
  name: "user suspend",
  summary: "keep an active user out for a while, and end the user's sessions",
  details: ["`user reactivate` lets the user in again."],
  done: "suspended",
  change: (users, userId) => users.suspendUser({ userId }),
});

/** `countersign user reactivate`. */
export const userReactivate: Command = createCommand({
  name: "user reactivate",
  summary: "let a user in who was suspended, deactivated or pending",
  details: [],
  done: "reactivated",
  change: (users, userId) => users.reactivateUser({ userId }),
});

/** `countersign user deactivate`. */
export const userDeactivate: Command = createCommand({
  name: "user deactivate",
  summary: "keep a user out for good, and end the user's sessions",
  details: ["Everything about the user is kept."],
  done: "deactivated",
  change: (users, userId) => users.deactivateUser({ userId }),
});

/** `countersign user require-password-change`. */
export const userRequirePasswordChange: Command = createCommand({
  name: "user require-password-change",
  summary: "have a user choose a new password at the next login",
  details: ["Sessions go on."],
  done: "requires a new password of",
  change: (users, userId) => users.requirePasswordChange({ userId }),
});

/** `countersign user forget-devices`. */
export const userForgetDevices: Command = createCommand({
  name: "user forget-devices",
  summary: "forget the devices that a user has signed in on",
  details: ["Their device tokens are worthless from then on. Sessions go on."],
  done: "forgot the devices of",
  async change(users, userId) {
    await users.forgetUserDevices({ userId });
    return null;
  },
});
