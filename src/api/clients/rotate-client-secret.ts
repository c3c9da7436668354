import type { ManageClients } from "../../domain/client/manage-clients.ts";
import type { ClientService } from "../../gen/countersign/v1/clients_pb.ts";
import type { Handler } from "../handler.ts";
import { presentClientWithSecret } from "./present-client.ts";
import { readChangeOf } from "./read-change-of.ts";

/** ClientService.RotateClientSecret: POST /admin/clients/{client_id}:rotateSecret. */
export function rotateClientSecretRpc(
  clients: Pick<ManageClients, "rotateSecret">,
): Handler<typeof ClientService.method.rotateClientSecret> {
  return async (request, call) => {
    call.setHeader("cache-control", "no-store");
    return presentClientWithSecret(await clients.rotateSecret(readChangeOf(request, call)));
  };
}
