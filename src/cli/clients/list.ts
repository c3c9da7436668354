import type { Client } from "../../gen/countersign/v1/clients_pb.ts";
import { targetOptions } from "../calling/target.ts";
import { type Api, withApi } from "../calling/with-api.ts";
import { type Command, hasOption, jsonOption, stringOption } from "../command.ts";
import { isOutputClosed, printError, printJson } from "../output.ts";
import { readPages } from "../pages.ts";
import { createTable } from "../table.ts";

const pageSize = 500;

/** `countersign client list`. */
export const clientList: Command = {
  name: "client list",
  operands: [],
  summary: "list the registered clients, by id",
  options: {
    filter: { value: "FILTER", help: 'such as: client_id = "a*"' },
    ...jsonOption,
    ...targetOptions,
  },
  run: (input) =>
    withApi(input, async (api) => {
      const table = createTable(["ID", "KIND", "GRANTS", "SCOPES", "AUDIENCES"]);
      let count = 0;
      for await (const client of listClients(api, stringOption(input, "filter"))) {
        if (isOutputClosed()) return 0;
        count += 1;
        if (hasOption(input, "json")) printJson(api.toJson(client));
        else table.add(toCells(client));
      }
      if (count === 0) printError("There are no registered clients.");
      else if (!hasOption(input, "json")) table.end();
      return 0;
    }),
};

/** The registered clients that a filter selects, by id. */
export function listClients(api: Api, filter = ""): AsyncGenerator<Client> {
  return readPages(async (pageToken) => {
    const request = { filter, orderBy: "client_id", pageToken, pageSize };
    const { clients, nextPageToken } = await api.clients.listClients(request);
    return { items: clients, nextPageToken };
  });
}

function toCells({ id, confidential, firstParty, grants, scopes, audiences }: Client): string[] {
  const kind = `${confidential ? "confidential" : "public"}${firstParty ? ", first-party" : ""}`;
  return [id, kind, grants.join(","), scopes.join(",") || "-", audiences.join(",") || "-"];
}
