import { create } from "@bufbuild/protobuf";
import type { ManageClients } from "../../domain/client/manage-clients.ts";
import { BatchGetClientsResponseSchema, type ClientService } from "../../gen/countersign/v1/clients_pb.ts";
import type { Handler } from "../handler.ts";
import { presentClient } from "./present-client.ts";

/** ClientService.BatchGetClients: GET /admin/clients:batchGet. */
export function batchGetClientsRpc(
  clients: Pick<ManageClients, "getMany">,
): Handler<typeof ClientService.method.batchGetClients> {
  return async ({ clientIds }) => {
    const found = await clients.getMany(clientIds);
    return create(BatchGetClientsResponseSchema, { clients: found.map(presentClient) });
  };
}
