import { create } from "@bufbuild/protobuf";
import { isClientId } from "../../domain/client/client-content.ts";
import type { ClientPosition, ClientSearch } from "../../domain/client/client-search.ts";
import type { ManageClients } from "../../domain/client/manage-clients.ts";
import { type ClientService, ListClientsResponseSchema } from "../../gen/countersign/v1/clients_pb.ts";
import type { Handler } from "../handler.ts";
import { notOurs, presentPage, readPage } from "../reading/page-token.ts";
import { isStoredTime } from "../reading/stored-time.ts";
import { presentClient } from "./present-client.ts";
import { readClientSearch } from "./read-client-search.ts";

/** ClientService.ListClients: GET /admin/clients. */
export function listClientsRpc(
  clients: Pick<ManageClients, "search">,
): Handler<typeof ClientService.method.listClients> {
  return async (request) => {
    const asked = readClientSearch(request);
    const page = readPage(request, asked);
    const found = await clients.search(asked, readPosition(page.after, asked), page.size + 1);
    const { items, nextPageToken } = presentPage(found, page, asked, ({ position }) => position);
    const messages = items.map((item) => presentClient(item.found));
    return create(ListClientsResponseSchema, { clients: messages, nextPageToken });
  };
}

function readPosition(after: readonly string[] | null, { order }: ClientSearch): ClientPosition | null {
  if (after === null) return null;
  const [key = "", id = ""] = after;
  const isKey = order === "created_at" ? isStoredTime(key) : isClientId(key);
  if (after.length === 2 && isKey && isClientId(id)) return [key, id];
  throw notOurs();
}
