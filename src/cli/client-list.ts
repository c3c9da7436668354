import { type Command, hasOption, jsonOption } from "./command.ts";
import { printError, printJson } from "./output.ts";
import { presentClient } from "./present-client.ts";
import { createTable } from "./table.ts";
import { withCore } from "./with-core.ts";

/** `countersign client list`. */
export const clientList: Command = {
  name: "client list",
  operands: [],
  summary: "list the registered clients",
  options: jsonOption,
  async run(input) {
    const clients = await withCore((core) => core.clients.list());
    if (hasOption(input, "json")) {
      for (const client of clients) printJson(presentClient(client));
      return 0;
    }
    if (clients.length === 0) printError("There are no registered clients.");
    const table = createTable(["ID", "KIND", "GRANTS", "SCOPES", "AUDIENCE"]);
    for (const client of clients) {
      const kind = `${client.confidential ? "confidential" : "public"}${client.firstParty ? ", first-party" : ""}`;
      const scopes = client.scopes.join(",") || "-";
      table.add([client.id, kind, client.grants.join(","), scopes, client.audience ?? "-"]);
    }
    if (clients.length > 0) table.end();
    return 0;
  },
};
