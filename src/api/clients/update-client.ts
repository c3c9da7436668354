import type { ClientContent } from "../../domain/client/managed-client.ts";
import type { ManageClients } from "../../domain/client/manage-clients.ts";
import type { ClientService, UpdateClientRequest } from "../../gen/countersign/v1/clients_pb.ts";
import type { Handler } from "../handler.ts";
import { readUpdateMask } from "../reading/update-mask.ts";
import { presentClient } from "./present-client.ts";
import { readChangeOf } from "./read-change-of.ts";
import { readGrants } from "./read-grants.ts";

/** ClientService.UpdateClient: PATCH /admin/clients/{client_id}. */
export function updateClientRpc(
  clients: Pick<ManageClients, "update">,
): Handler<typeof ClientService.method.updateClient> {
  return async (request, call) =>
    presentClient(await clients.update(readChangeOf(request, call), readChanges(request)));
}

function readChanges(request: UpdateClientRequest): Partial<ClientContent> {
  const ifAny = <Item>(items: readonly Item[]) => (items.length === 0 ? undefined : items);
  const mask = readUpdateMask(request.updateMask, {
    name: request.name === "" ? undefined : request.name,
    first_party: request.firstParty,
    grants: ifAny(request.grants),
    scopes: ifAny(request.scopes),
    audiences: ifAny(request.audiences),
    redirect_uris: ifAny(request.redirectUris),
    post_logout_redirect_uris: ifAny(request.postLogoutRedirectUris),
    can_introspect: request.canIntrospect,
    access_token_ttl_seconds: request.accessTokenTtlSeconds,
    refresh_grace_ms: request.refreshGraceMs,
  });
  const { name, firstParty, canIntrospect, accessTokenTtlSeconds, refreshGraceMs } = request;
  return {
    ...(mask.has("name") ? { name: name === "" ? request.clientId : name } : {}),
    ...(mask.has("first_party") ? { firstParty: firstParty ?? false } : {}),
    ...(mask.has("grants") ? { grants: readGrants(request.grants) } : {}),
    ...(mask.has("scopes") ? { scopes: [...new Set(request.scopes)] } : {}),
    ...(mask.has("audiences") ? { audiences: [...new Set(request.audiences)] } : {}),
    ...(mask.has("redirect_uris") ? { redirectUris: [...new Set(request.redirectUris)] } : {}),
    ...(mask.has("post_logout_redirect_uris")
      ? { postLogoutRedirectUris: [...new Set(request.postLogoutRedirectUris)] }
      : {}),
    ...(mask.has("can_introspect") ? { canIntrospect: canIntrospect ?? false } : {}),
    ...(mask.has("access_token_ttl_seconds") ? { accessTokenTtlSeconds: accessTokenTtlSeconds ?? null } : {}),
    ...(mask.has("refresh_grace_ms") ? { refreshGraceMs: refreshGraceMs ?? null } : {}),
  };
}
