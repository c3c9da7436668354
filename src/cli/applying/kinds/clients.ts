import { listClients } from "../../clients/list.ts";
import { type Item, toSet } from "../fields.ts";
import { type Kind, textOf, textsOf } from "../kind.ts";

/** The registered clients. Secrets are not in the file: a new client's is told once. */
export const clientKind: Kind = {
  section: "clients",
  noun: "client",
  help: "The registered clients, without their secrets.",
  fields: {
    id: { type: "text", isName: true, help: "The client_id." },
    name: { type: "text", help: "For people." },
    public: { type: "switch", isFixed: true, help: "It cannot keep a secret: an app on a user's device." },
    first_party: { type: "switch", help: "It is your own, and may see passwords." },
    grants: { type: "texts", isRequired: true, help: "Its grants, such as client_credentials." },
    scopes: { type: "texts", help: "The scopes that it may ask for." },
    audiences: { type: "texts", help: "Whom its access tokens are for; AUDIENCE where left out." },
    redirect_uris: { type: "texts", help: "Where its users may be sent back to." },
    post_logout_redirect_uris: { type: "texts", help: "Where they may be sent after signing out." },
    can_introspect: { type: "switch", help: "It may inspect its own tokens, and tokens for its audiences." },
    access_token_ttl_seconds: {
      type: "number",
      help: "How long its access tokens live; ACCESS_TOKEN_TTL where left out.",
    },
    refresh_grace_ms: {
      type: "number",
      help: "How long its rotated refresh tokens still work; REFRESH_GRACE where left out.",
    },
  },
  pruning: "deletes it, and ends the sessions that it began",
  async read(api) {
    const found = [];
    for await (const client of listClients(api)) {
      const item = {
        id: client.id,
        // Without a name a client is called by its id.
        name: client.name === client.id ? "" : client.name,
        public: !client.confidential,
        first_party: client.firstParty,
        grants: toSet(client.grants),
        scopes: toSet(client.scopes),
        audiences: toSet(client.audiences),
        redirect_uris: toSet(client.redirectUris),
        post_logout_redirect_uris: toSet(client.postLogoutRedirectUris),
        can_introspect: client.canIntrospect,
        access_token_ttl_seconds: client.accessTokenTtlSeconds ?? null,
        refresh_grace_ms: client.refreshGraceMs ?? null,
      };
      found.push({ key: client.id, item, etag: client.etag });
    }
    return found;
  },
  match: (item, found) => found.find(({ key }) => key === item["id"]) ?? null,
  refuseNew: () => null,
  async create(api, item) {
    const { clientSecret } = await api.clients.createClient({
      ...toContent(item),
      public: item["public"] === true,
    });
    return clientSecret === undefined ? null : `client_secret: ${clientSecret}`;
  },
  async update(api, { etag }, item, changed) {
    await api.clients.updateClient({ ...toContent(item), updateMask: { paths: [...changed] }, etag });
  },
  async prune(api, { key: clientId, etag }) {
    await api.clients.deleteClient({ clientId, etag });
  },
};

function toContent(item: Item) {
  const [ttl, grace] = [item["access_token_ttl_seconds"], item["refresh_grace_ms"]];
  return {
    clientId: textOf(item, "id"),
    name: textOf(item, "name"),
    firstParty: item["first_party"] === true,
    grants: textsOf(item, "grants"),
    scopes: textsOf(item, "scopes"),
    audiences: textsOf(item, "audiences"),
    redirectUris: textsOf(item, "redirect_uris"),
    postLogoutRedirectUris: textsOf(item, "post_logout_redirect_uris"),
    canIntrospect: item["can_introspect"] === true,
    ...(typeof ttl === "number" ? { accessTokenTtlSeconds: ttl } : {}),
    ...(typeof grace === "number" ? { refreshGraceMs: grace } : {}),
  };
}
