import type { ManagedUser } from "../../gen/countersign/v1/users_pb.ts";
import type { Api } from "../calling/with-api.ts";
import { type CommandInput, hasOption } from "../command.ts";
import { printJson, printLine } from "../output.ts";
import { describeUser } from "./user-operand.ts";

/**
 * Prints what a command has done to a user.
 *
 * @param what it did: "created"
 * @param password one that was made for the user, which is printed once; null for none
 */
export function reportUser(
  api: Api,
  input: CommandInput,
  what: string,
  user: ManagedUser,
  password: string | null = null,
): void {
  if (hasOption(input, "json")) {
    printJson({ ...api.toJson(user), ...(password === null ? {} : { password }) });
    return;
  }
  printLine(`${what} ${describeUser(user)}`);
  if (password !== null) printLine(`password: ${password}`);
}
