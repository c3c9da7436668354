import type { ManageClients } from "../../domain/client/manage-clients.ts";
import type { ClientService } from "../../gen/countersign/v1/clients_pb.ts";
import type { Handler } from "../handler.ts";
import { presentClientDeletion } from "./present-client.ts";
import { readChangeOf } from "./read-change-of.ts";

/** ClientService.DeleteClient: DELETE /admin/clients/{client_id}. */
export function deleteClientRpc(
  clients: Pick<ManageClients, "delete">,
): Handler<typeof ClientService.method.deleteClient> {
  return async (request, call) => presentClientDeletion(await clients.delete(readChangeOf(request, call)));
}

/** ClientService.GetClientDeletion: GET /admin/clients/{client_id}/deletion. */
export function getClientDeletionRpc(
  clients: Pick<ManageClients, "getDeletion">,
): Handler<typeof ClientService.method.getClientDeletion> {
  return async ({ clientId }) => presentClientDeletion(await clients.getDeletion(clientId));
}
