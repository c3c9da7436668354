import type { ManagedUser } from "../../gen/countersign/v1/users_pb.ts";
import { targetOptions } from "../calling/target.ts";
import { type Api, withApi } from "../calling/with-api.ts";
import { type Command, type CommandInput, hasOption, jsonOption } from "../command.ts";
import { printDetails } from "../details.ts";
import { printJson, printLine } from "../output.ts";
import { findUser, idOption, nameDetail } from "./user-operand.ts";

/** `countersign user get`. */
export const userGet: Command = {
  name: "user get",
  operands: ["NAME..."],
  summary: "show users, whole",
  details: [nameDetail],
  options: { ...idOption, ...jsonOption, ...targetOptions },
  run: (input) =>
    withApi(input, async (api) => {
      const users = await findUsers(api, input);
      users.forEach((user, index) => {
        if (hasOption(input, "json")) printJson(api.toJson(user));
        else {
          if (index > 0) printLine("");
          printDetails(api.toJson(user));
        }
      });
      return 0;
    }),
};

async function findUsers(api: Api, input: CommandInput): Promise<ManagedUser[]> {
  const { operands } = input;
  if (hasOption(input, "id")) return (await api.users.batchGetUsers({ userIds: [...operands] })).users;
  const users: ManagedUser[] = [];
  for (const name of operands) users.push(await findUser(api, input, name));
  return users;
}
