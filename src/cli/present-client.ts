import type { ManagedClient } from "../domain/client/managed-client.ts";

/** A client as the command line shows it. */
export function presentClient(client: ManagedClient): Record<string, unknown> {
  return {
    id: client.id,
    name: client.name,
    confidential: client.confidential,
    first_party: client.firstParty,
    grants: client.grants,
    scopes: client.scopes,
    audiences: client.audiences,
    redirect_uris: client.redirectUris,
    post_logout_redirect_uris: client.postLogoutRedirectUris,
    can_introspect: client.canIntrospect,
    access_token_ttl_seconds: client.accessTokenTtlSeconds,
    refresh_grace_ms: client.refreshGraceMs,
    created_at: client.createdAt.toISOString(),
  };
}
