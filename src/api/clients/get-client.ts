import type { ManageClients } from "../../domain/client/manage-clients.ts";
import type { ClientService } from "../../gen/countersign/v1/clients_pb.ts";
import type { Handler } from "../handler.ts";
import { presentClient } from "./present-client.ts";

/** ClientService.GetClient: GET /admin/clients/{client_id}. */
export function getClientRpc(
  clients: Pick<ManageClients, "get">,
): Handler<typeof ClientService.method.getClient> {
  return async ({ clientId }) => presentClient(await clients.get(clientId));
}
