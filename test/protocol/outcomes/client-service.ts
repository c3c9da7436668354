import { randomBytes } from "node:crypto";
import { expect } from "@jest/globals";
import type { TestClientOptions } from "../../_harness/clients.ts";
import { administratorCases, byAdmin, signInAdmin } from "./administrator-cases.ts";
import type { OutcomeCase, PreparedCall, ServiceOutcomes } from "./outcome-case.ts";
import { required, time, unreadable, unreadableWith } from "./shared-cases.ts";
import type { World } from "./world.ts";

type Input = NonNullable<PreparedCall["input"]>;

const newId = () => `client-${randomBytes(6).toString("hex")}`;
const nobody = "client-nobody";
const anyDetail = expect.any(String) as unknown as string;
const etag = expect.stringMatching(/^[\w-]{22}$/);
const anId = expect.stringMatching(/^client-/);
const secret = expect.stringMatching(/^csc_[\w-]{43}$/);

/** What every answer of one client has. */
const client = (more: object) => expect.objectContaining({ id: anId, created_at: time, etag, ...more });
const deletion = { client_id: anId, done: true, sessions_ended: 0, deleted_at: time, finished_at: time };

/** The request of a new client. */
function ofNew(more: Input = {}, options: TestClientOptions = { grants: ["client_credentials"] }) {
  return async (world: World): Promise<Input & { readonly client_id: string }> => {
    const { id } = await world.addClient(options);
    return { client_id: id, ...more };
  };
}

const ok = (message: unknown, prepare: OutcomeCase["prepare"]): OutcomeCase => ({
  outcome: "ok",
  message,
  prepare,
});
const invalid = (field: string, input: Input): OutcomeCase => ({
  outcome: "validation_failed",
  what: `a wrong ${field}`,
  prepare: byAdmin(() => input),
  fields: [{ field, detail: anyDetail }],
});

/** Of an RPC that is about one client. */
function aboutOne(more: Input = {}): readonly OutcomeCase[] {
  return [
    unreadableWith({ client_id: nobody, ...more }),
    invalid("client_id", { client_id: "x".repeat(256), ...more }),
    { outcome: "not_found", prepare: byAdmin(() => ({ client_id: nobody, ...more })) },
    ...administratorCases({ client_id: nobody, ...more }),
  ];
}

/** Of an RPC that changes one client, in a state that can be named. */
function changes(more: Input = {}): readonly OutcomeCase[] {
  return [
    { outcome: "conflict", what: "an old etag", prepare: byAdmin(ofNew({ ...more, etag: "old" })) },
    {
      outcome: "permission_denied",
      what: "a client above the caller",
      async prepare(world) {
        const role = await world.addRole(`role-${newId()}`, ["clients.write"]);
        const options = { grants: ["client_credentials"], scopes: ["countersign.support"] } as const;
        const input = await ofNew(more, options)(world);
        return { headers: (await world.signInOnce([role])).headers, input };
      },
    },
    ...aboutOne(more),
  ];
}

const shop = {
  first_party: true,
  grants: ["password", "refresh_token"],
  scopes: ["orders"],
  audiences: ["https://api.example.org"],
  redirect_uris: ["https://shop.example.org/signed-in"],
  post_logout_redirect_uris: ["https://shop.example.org/"],
};

/** Every outcome of every RPC of ClientService. */
export const clientServiceOutcomes: ServiceOutcomes = {
  CreateClient: [
    ok(
      {
        client: client({ ...shop, name: "The shop", confidential: true, access_token_ttl_seconds: 300 }),
        client_secret: secret,
      },
      byAdmin(() => ({ ...shop, client_id: newId(), name: "The shop", access_token_ttl_seconds: 300 })),
    ),
    unreadable,
    {
      outcome: "validation_failed",
      what: "no id",
      prepare: byAdmin(() => ({ grants: ["refresh_token"] })),
      fields: [required("client_id")],
    },
    invalid("grants", { client_id: nobody, grants: ["implicit"] }),
    invalid("redirect_uris", { ...shop, client_id: nobody, redirect_uris: ["http://shop.example.org/"] }),
    invalid("scopes", { ...shop, client_id: nobody, scopes: ["countersign.no-such-role"] }),
    {
      outcome: "permission_denied",
      what: "the scope of a role that permits what the caller lacks",
      async prepare(world) {
        const role = await world.addRole(`role-${newId()}`, ["clients.write"]);
        const input = { client_id: newId(), grants: ["client_credentials"], scopes: ["countersign.admin"] };
        return { headers: (await world.signInOnce([role])).headers, input };
      },
    },
    {
      outcome: "already_exists",
      prepare: byAdmin(async (world) => ({ ...(await ofNew()(world)), grants: ["refresh_token"] })),
    },
    {
      outcome: "conflict",
      what: "a request_id that was used for something else",
      async prepare(world) {
        const { headers } = await signInAdmin(world);
        const id = newId();
        const send = { method: "POST", headers: { ...headers, "content-type": "application/json" } };
        const grants = ["refresh_token"];
        const body = JSON.stringify({ client_id: newId(), grants, request_id: id });
        await fetch(`${world.service.url}/admin/clients`, { ...send, body });
        return { headers, input: { client_id: newId(), grants, request_id: id } };
      },
    },
    ...administratorCases({ client_id: nobody, grants: ["refresh_token"] }),
  ],
  GetClient: [
    ok(client({ confidential: true, grants: ["client_credentials"] }), byAdmin(ofNew())),
    ...aboutOne(),
  ],
  BatchGetClients: [
    ok(
      { clients: [client({}), client({})] },
      byAdmin(async (world) => ({
        client_ids: [(await ofNew()(world)).client_id, (await ofNew()(world)).client_id],
      })),
    ),
    unreadable,
    invalid("client_ids", { client_ids: Array.from({ length: 101 }, () => "x") }),
    { outcome: "not_found", prepare: byAdmin(() => ({ client_ids: [nobody] })) },
    ...administratorCases({ client_ids: [nobody] }),
  ],
  ListClients: [
    ok(
      { clients: [client({})], next_page_token: "" },
      byAdmin(async (world) => ({ filter: `client_id = ${(await ofNew()(world)).client_id}` })),
    ),
    unreadable,
    invalid("filter", { filter: "shoe_size = 44" }),
    invalid("order_by", { order_by: "shoe_size" }),
    invalid("page_token", { page_token: "bm90IG91cnM" }),
    ...administratorCases(),
  ],
  UpdateClient: [
    ok(
      client({ name: "The shop", scopes: ["orders"] }),
      byAdmin(ofNew({ name: "The shop", scopes: ["orders"] })),
    ),
    { ...invalid("update_mask", {}), prepare: byAdmin(ofNew({ update_mask: "colour" })) },
    ...changes({ name: "The shop" }),
  ],
  RotateClientSecret: [
    ok({ client: client({ confidential: true }), client_secret: secret }, byAdmin(ofNew())),
    {
      outcome: "not_found",
      what: "a public client",
      prepare: byAdmin(ofNew({}, { public: true, grants: ["refresh_token"] })),
    },
    ...changes(),
  ],
  DeleteClient: [ok(deletion, byAdmin(ofNew())), ...changes()],
  GetClientDeletion: [
    ok(
      deletion,
      byAdmin(async (world) => {
        const input = await ofNew()(world);
        const { headers } = await signInAdmin(world);
        const path = `/admin/clients/${input.client_id}`;
        await fetch(world.service.url + path, { method: "DELETE", headers });
        return input;
      }),
    ),
    ...aboutOne(),
  ],
};
