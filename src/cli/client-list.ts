import type { ManagedClient } from "../domain/client/managed-client.ts";
import type { ManageClients } from "../domain/client/manage-clients.ts";
import { type Command, hasOption, jsonOption } from "./command.ts";
import { printError, printJson } from "./output.ts";
import { presentClient } from "./present-client.ts";
import { createTable } from "./table.ts";
import { withCore } from "./with-core.ts";

const pageSize = 1000;

/** `countersign client list`. */
export const clientList: Command = {
  name: "client list",
  operands: [],
  summary: "list the registered clients",
  options: jsonOption,
  async run(input) {
    const clients = await withCore(({ manageClients }) => listAll(manageClients));
    if (hasOption(input, "json")) {
      for (const client of clients) printJson(presentClient(client));
      return 0;
    }
    if (clients.length === 0) printError("There are no registered clients.");
    const table = createTable(["ID", "KIND", "GRANTS", "SCOPES", "AUDIENCES"]);
    for (const client of clients) {
      const kind = `${client.confidential ? "confidential" : "public"}${client.firstParty ? ", first-party" : ""}`;
      const scopes = client.scopes.join(",") || "-";
      table.add([client.id, kind, client.grants.join(","), scopes, client.audiences.join(",") || "-"]);
    }
    if (clients.length > 0) table.end();
    return 0;
  },
};

/** All of them, in the order of their ids. */
async function listAll(clients: Pick<ManageClients, "search">): Promise<ManagedClient[]> {
  const asked = { order: "client_id", descending: false, scope: null, from: null, to: null } as const;
  const all: ManagedClient[] = [];
  for (;;) {
    const last = all.at(-1)?.id;
    const page = await clients.search(asked, last === undefined ? null : [last, last], pageSize);
    all.push(...page.map(({ found }) => found));
    if (page.length < pageSize) return all;
  }
}
