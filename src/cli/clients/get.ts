import { targetOptions } from "../calling/target.ts";
import { withApi } from "../calling/with-api.ts";
import { type Command, hasOption, jsonOption } from "../command.ts";
import { printDetails } from "../details.ts";
import { printJson, printLine } from "../output.ts";

/** `countersign client get`. */
export const clientGet: Command = {
  name: "client get",
  operands: ["ID..."],
  summary: "show clients, whole",
  options: { ...jsonOption, ...targetOptions },
  run: (input) =>
    withApi(input, async (api) => {
      const [clientId = "", ...others] = input.operands;
      const clients =
        others.length === 0
          ? [await api.clients.getClient({ clientId })]
          : (await api.clients.batchGetClients({ clientIds: [clientId, ...others] })).clients;
      clients.forEach((client, index) => {
        if (hasOption(input, "json")) printJson(api.toJson(client));
        else {
          if (index > 0) printLine("");
          printDetails(api.toJson(client));
        }
      });
      return 0;
    }),
};
