import type { ClientDeletion } from "../../gen/countersign/v1/clients_pb.ts";
import { targetOptions } from "../calling/target.ts";
import { type Api, withApi } from "../calling/with-api.ts";
import { type Command, type CommandInput, hasOption, jsonOption } from "../command.ts";
import { printError, printJson, printLine } from "../output.ts";

/** `countersign client delete`. */
export const clientDelete: Command = {
  name: "client delete",
  operands: ["ID"],
  summary: "delete a client and end the sessions that it began",
  details: [
    "Nothing of the client is accepted from then on. Where it began many sessions, a running",
    "service ends them one after the other: `countersign client deletion ID` shows how far it is.",
  ],
  options: { ...jsonOption, ...targetOptions },
  run: (input) =>
    withApi(input, async (api) => {
      report(api, input, await api.clients.deleteClient({ clientId: input.operands[0] ?? "" }));
      return 0;
    }),
};

/** `countersign client deletion`. */
export const clientDeletion: Command = {
  name: "client deletion",
  operands: ["ID"],
  summary: "show how far the deletion of a client is",
  options: { ...jsonOption, ...targetOptions },
  run: (input) =>
    withApi(input, async (api) => {
      report(api, input, await api.clients.getClientDeletion({ clientId: input.operands[0] ?? "" }));
      return 0;
    }),
};

function report(api: Api, input: CommandInput, deletion: ClientDeletion): void {
  if (hasOption(input, "json")) {
    printJson(api.toJson(deletion));
    return;
  }
  printLine(`deleted ${deletion.clientId}`);
  if (!deletion.done) {
    printError(`${deletion.sessionsEnded} sessions have ended so far; a running service ends the others`);
  }
}
