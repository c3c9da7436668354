import type { ClientDraft } from "../../domain/client/managed-client.ts";
import type { ManageClients } from "../../domain/client/manage-clients.ts";
import type { ClientService, CreateClientRequest } from "../../gen/countersign/v1/clients_pb.ts";
import type { Handler } from "../handler.ts";
import { requireAdministrator } from "../reading/require-administrator.ts";
import { presentClientWithSecret } from "./present-client.ts";
import { readGrants } from "./read-grants.ts";

/** ClientService.CreateClient: POST /admin/clients. */
export function createClientRpc(
  clients: Pick<ManageClients, "create">,
): Handler<typeof ClientService.method.createClient> {
  return async (request, call) => {
    call.setHeader("cache-control", "no-store");
    const administrator = requireAdministrator(call);
    const draft = readDraft(request);
    const callerId = administrator.standing.id;
    const repeatable = { callerId, rpc: "CreateClient", requestId: request.requestId, content: draft };
    return presentClientWithSecret(await clients.create(draft, administrator, repeatable));
  };
}

function readDraft(request: CreateClientRequest): ClientDraft {
  const { clientId, name, firstParty, canIntrospect } = request;
  return {
    id: clientId,
    name: name === "" ? clientId : name,
    confidential: !request.public,
    firstParty,
    grants: readGrants(request.grants),
    scopes: [...new Set(request.scopes)],
    audiences: [...new Set(request.audiences)],
    redirectUris: [...new Set(request.redirectUris)],
    postLogoutRedirectUris: [...new Set(request.postLogoutRedirectUris)],
    canIntrospect,
    accessTokenTtlSeconds: request.accessTokenTtlSeconds ?? null,
    refreshGraceMs: request.refreshGraceMs ?? null,
  };
}
