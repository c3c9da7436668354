import type { Client } from "../../gen/countersign/v1/clients_pb.ts";
import type { Api } from "../calling/with-api.ts";
import { readPages } from "../pages.ts";

const pageSize = 500;

/** All registered clients, by id. */
export function listClients(api: Api): AsyncGenerator<Client> {
  return readPages(async (pageToken) => {
    const { clients, nextPageToken } = await api.clients.listClients({
      orderBy: "client_id",
      pageToken,
      pageSize,
    });
    return { items: clients, nextPageToken };
  });
}
