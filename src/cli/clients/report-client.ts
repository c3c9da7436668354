import type { Client } from "../../gen/countersign/v1/clients_pb.ts";
import type { Api } from "../calling/with-api.ts";
import { type CommandInput, hasOption } from "../command.ts";
import { printJson, printLine } from "../output.ts";

/** Prints what a command has done to a client. @param secret one that was made for it, which is printed once */
export function reportClient(
  api: Api,
  input: CommandInput,
  what: string,
  client: Client | undefined,
  secret?: string,
): void {
  if (client === undefined) throw new Error("The service has answered without the client.");
  if (hasOption(input, "json")) {
    printJson({ ...api.toJson(client), ...(secret === undefined ? {} : { client_secret: secret }) });
    return;
  }
  printLine(`${what} ${client.id}`);
  if (secret !== undefined) printLine(`client_secret: ${secret}`);
}
