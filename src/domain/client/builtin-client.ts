import type { Client } from "./client.ts";

/** The id that stands for a request which names no client. */
export const builtinClientId = "countersign";

/** The built-in client. It is public, so that no secret of it can be right. @param scopes that it may ask for */
export function createBuiltinClient(scopes: readonly string[]): Client {
  return {
    id: builtinClientId,
    name: "Countersign",
    confidential: false,
    firstParty: true,
    grants: ["password", "refresh_token"],
    scopes,
    audiences: [],
    canIntrospect: false,
    accessTokenTtlSeconds: null,
    refreshGraceMs: null,
    createdAt: null,
    registration: null,
  };
}
