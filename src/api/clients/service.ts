import type { ManageClients } from "../../domain/client/manage-clients.ts";
import { ClientService } from "../../gen/countersign/v1/clients_pb.ts";
import { serve, type ServiceEntry } from "../router.ts";
import { batchGetClientsRpc } from "./batch-get-clients.ts";
import { createClientRpc } from "./create-client.ts";
import { deleteClientRpc, getClientDeletionRpc } from "./delete-client.ts";
import { getClientRpc } from "./get-client.ts";
import { listClientsRpc } from "./list-clients.ts";
import { rotateClientSecretRpc } from "./rotate-client-secret.ts";
import { updateClientRpc } from "./update-client.ts";

/** Registers the RPCs of ClientService. */
export function createClientService({
  manageClients: clients,
}: {
  readonly manageClients: ManageClients;
}): ServiceEntry {
  return serve(ClientService, {
    createClient: createClientRpc(clients),
    getClient: getClientRpc(clients),
    batchGetClients: batchGetClientsRpc(clients),
    listClients: listClientsRpc(clients),
    updateClient: updateClientRpc(clients),
    rotateClientSecret: rotateClientSecretRpc(clients),
    deleteClient: deleteClientRpc(clients),
    getClientDeletion: getClientDeletionRpc(clients),
  });
}
