import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { requireTokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { addClient, basicOf, postOf } from "../_harness/clients.ts";
import { eventually } from "../_harness/eventually.ts";
import * as given from "../_harness/given.ts";
import { sendForm } from "../_harness/rest.ts";
import { readEventsBy } from "../_harness/rows/audit.ts";
import { readClientsAsText } from "../_harness/rows/clients.ts";
import { insertRole } from "../_harness/rows/roles.ts";
import { copySessions } from "../_harness/rows/sessions.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";
import { textOf } from "../_harness/text-of.ts";
import { type AdminCaller, callerWith, newName, signInWith } from "./callers.ts";

// What administrators do to clients. Several workers: what one of them changes, the others must not remember.

let service: TestService;
let sql: Client;
let admin: AdminCaller;
beforeAll(async () => {
  service = await startService({ env: { WORKERS: "3" } });
  sql = await openSql(service.databaseUrl);
  admin = (await signInWith(service, "admin")).call;
}, 120_000);
afterAll(async () => {
  await sql.end();
  await service.stop();
});

const machine = { grants: ["client_credentials"] };

/** Registers a client by the RPC. */
async function register(body: object = machine): Promise<{ id: string; secret: string; etag: string }> {
  const id = newName("client");
  const { status, json } = await admin("POST", "/admin/clients", { client_id: id, ...body });
  expect([status, json["reason"]]).toEqual([200, undefined]);
  const { etag } = json["client"] as { etag: string };
  return { id, secret: textOf(json["client_secret"] ?? ""), etag };
}

/** The status of a token request by a client for itself, on a connection of its own, so by any worker. */
async function statusOfGrant(client: { id: string; secret: string }, scope = ""): Promise<number> {
  const form = { grant_type: "client_credentials", scope };
  const headers = { ...basicOf(client), connection: "close" };
  return (await sendForm(`${service.url}/auth/token`, form, headers)).status;
}

const statusesOfGrants = (client: { id: string; secret: string }, scope = "") =>
  Promise.all(Array.from({ length: 6 }, () => statusOfGrant(client, scope)));

/** A caller who may administer clients, and what else is named. */
async function clientAdmin(...permissions: string[]): Promise<AdminCaller> {
  const role = newName("role");
  await insertRole(sql, role, ["clients.read", "clients.write", ...permissions]);
  return (await signInWith(service, role)).call;
}

describe("a client that is changed", () => {
  test("is so at once for every worker: its scopes, its secret, and itself", async () => {
    const client = await register();
    expect(new Set(await statusesOfGrants(client))).toEqual(new Set([200]));
    const path = `/admin/clients/${client.id}`;
    expect(new Set(await statusesOfGrants(client, "orders"))).toEqual(new Set([400]));
    expect((await admin("PATCH", path, { scopes: ["orders"] })).status).toBe(200);
    expect(new Set(await statusesOfGrants(client, "orders"))).toEqual(new Set([200]));
    const { json } = await admin("POST", `${path}:rotateSecret`);
    const next = { ...client, secret: textOf(json["client_secret"]) };
    expect(new Set(await statusesOfGrants(client))).toEqual(new Set([401]));
    expect(new Set(await statusesOfGrants(next))).toEqual(new Set([200]));
    expect((await admin("DELETE", path)).json).toMatchObject({ done: true, sessions_ended: 0 });
    expect(new Set(await statusesOfGrants(next))).toEqual(new Set([401]));
    expect((await admin("DELETE", path)).status).toBe(404);
  });

  test("by two at once is changed by one, and the other is told", async () => {
    const { id, etag } = await register();
    const path = `/admin/clients/${id}`;
    const names = ["one", "two", "three", "four"];
    const answers = await Promise.all(names.map((name) => admin("PATCH", path, { name, etag })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409).map(({ json }) => json["reason"])).toEqual(
      Array.from({ length: 3 }, () => "conflict"),
    );
    const { etag: now } = (await admin("GET", path)).json;
    const rotate = () => admin("POST", `${path}:rotateSecret`, { etag: now });
    const secrets = await Promise.all(names.map(rotate));
    expect(secrets.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test("is set to what the mask names, and to nothing else", async () => {
    const { id } = await register({
      ...machine,
      scopes: ["a"],
      audiences: ["api"],
      access_token_ttl_seconds: 60,
    });
    const change = { name: "", scopes: [], access_token_ttl_seconds: 30, update_mask: "scopes,name" };
    const { json } = await admin("PATCH", `/admin/clients/${id}`, change);
    expect(json).toMatchObject({ name: id, scopes: [], audiences: ["api"], access_token_ttl_seconds: 60 });
    const emptied = await admin("PATCH", `/admin/clients/${id}`, { update_mask: "access_token_ttl_seconds" });
    expect(emptied.json["access_token_ttl_seconds"]).toBeNull();
    expect((await admin("PATCH", `/admin/clients/${id}`, { update_mask: "grants" })).status).toBe(422);
    const events = await readEventsBy(sql, "client_id", id);
    expect(events.map(({ type, reason }) => [type, reason])).toEqual([
      ["client.created", null],
      ["client.updated", "name scopes-a"],
      ["client.updated", "access_token_ttl_seconds"],
    ]);
  });
});

describe("nobody raises a client above themselves, or acts on one above them:", () => {
  test("a scope of a role is given by those who hold what it permits", async () => {
    const lesser = await clientAdmin();
    const create = (caller: AdminCaller, scope: string) =>
      caller("POST", "/admin/clients", { client_id: newName("client"), ...machine, scopes: [scope] });
    const refused = await create(lesser, "countersign.support");
    expect([refused.status, refused.json["reason"]]).toEqual([403, "permission_denied"]);
    const role = newName("role");
    await insertRole(sql, role, ["clients.read"]);
    expect((await create(lesser, `countersign.${role}`)).status).toBe(200);
    expect((await create(admin, "countersign.support")).status).toBe(200);
    expect((await create(admin, "countersign.no-such-role")).json["errors"]).toMatchObject([
      { field: "scopes" },
    ]);
    // A role that a client has stays, or its name would come to permit something else.
    expect((await admin("DELETE", `/admin/roles/${role}`)).json["reason"]).toBe("conflict");
  });

  test("a client with such a scope is changed by nobody who lacks it", async () => {
    const lesser = await clientAdmin();
    const { id } = await register({ ...machine, scopes: ["countersign.support"] });
    const path = `/admin/clients/${id}`;
    const answers = await Promise.all([
      lesser("PATCH", path, { scopes: [], update_mask: "scopes" }),
      lesser("PATCH", path, { name: "x" }),
      lesser("POST", `${path}:rotateSecret`),
      lesser("DELETE", path),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
    expect((await lesser("GET", path)).status).toBe(200);
  });

  test("a client neither changes nor deletes itself, but for its secret", async () => {
    const client = await register({ ...machine, scopes: ["countersign.admin"] });
    const form = { grant_type: "client_credentials", scope: "countersign.admin" };
    const { json } = await sendForm(`${service.url}/auth/token`, form, basicOf(client));
    const self = callerWith(service.url, textOf(json["access_token"]));
    const path = `/admin/clients/${client.id}`;
    expect((await self("PATCH", path, { scopes: ["countersign.admin", "orders"] })).status).toBe(403);
    expect((await self("DELETE", path)).status).toBe(403);
    expect((await self("POST", `${path}:rotateSecret`)).status).toBe(200);
    const other = newName("client");
    const made = { client_id: other, ...machine, scopes: ["countersign.support"] };
    expect((await self("POST", "/admin/clients", made)).status).toBe(200);
  });
});

describe("a secret", () => {
  test("is answered once, also where the request is repeated, and stands nowhere else", async () => {
    const body = { client_id: newName("client"), ...machine, request_id: newName("request") };
    const answers = await Promise.all([1, 2, 3].map(() => admin("POST", "/admin/clients", body)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    const secrets = answers.map(({ json }) => json["client_secret"]).filter((secret) => secret !== null);
    expect(secrets).toHaveLength(1);
    const [secret = ""] = secrets.map(textOf);
    expect(await statusOfGrant({ id: body.client_id, secret })).toBe(200);
    const events = JSON.stringify(await readEventsBy(sql, "client_id", body.client_id));
    for (const text of [events, await readClientsAsText(sql), service.output()]) {
      expect(text).not.toContain(secret);
    }
    await admin("DELETE", `/admin/clients/${body.client_id}`);
    const anew = await admin("POST", "/admin/clients", body);
    expect([anew.status, textOf(anew.json["client_secret"])]).toEqual([200, expect.stringMatching(/^csc_/)]);
  });

  test("is none of a public client's", async () => {
    const { id, secret } = await register({ public: true, grants: ["refresh_token"] });
    expect(secret).toBe("");
    expect((await admin("POST", `/admin/clients/${id}:rotateSecret`)).json["reason"]).toBe("not_found");
  });
});

describe("the deletion of a client", () => {
  const own = { firstParty: true, grants: ["password", "refresh_token"] } as const;

  test("ends the sessions that it began, all of them in the end, and says how far it is", async () => {
    const client = await addClient(sql, own);
    const session = await given.session(service, { fields: postOf(client) });
    const other = await given.session(service);
    await copySessions(sql, session.sid, 2_500);
    const path = `/admin/clients/${client.id}`;
    expect((await admin("DELETE", path)).json).toMatchObject({
      done: false,
      sessions_ended: 1000,
      finished_at: null,
    });
    const body = { client_id: client.id, ...machine };
    expect((await admin("POST", "/admin/clients", body)).json["reason"]).toBe("conflict");
    const readDeletion = async () => (await admin("GET", `${path}/deletion`)).json;
    await eventually(async () => (await readDeletion())["done"] === true, 20_000, 100);
    expect(await readDeletion()).toMatchObject({ sessions_ended: 2_501, finished_at: expect.any(String) });
    expect(await api(service).rest.me(session.access_token)).toMatchObject({ status: 401 });
    expect(await api(service).rest.me(other.access_token)).toMatchObject({ status: 200 });
    expect((await admin("POST", "/admin/clients", body)).status).toBe(200);
    const anew = await api(service).rest.refresh(session.refresh_token, postOf(client));
    expect(anew.status).toBe(401);
  });

  test("at once by several, with users who sign in, is one deletion, and leaves no live token", async () => {
    const client = await addClient(sql, own);
    const user = await given.user(service);
    const login = () => api(service).rest.login(user, postOf(client));
    const before = requireTokens(await login());
    const [logins, deletions] = await Promise.all([
      Promise.all(Array.from({ length: 6 }, login)),
      Promise.all(Array.from({ length: 6 }, () => admin("DELETE", `/admin/clients/${client.id}`))),
    ]);
    expect(deletions.filter(({ status }) => status !== 404).map(({ status }) => status)).toContain(200);
    const deleted = (await readEventsBy(sql, "client_id", client.id)).filter(
      ({ type }) => type === "client.deleted",
    );
    expect(deleted).toHaveLength(1);
    for (const tokens of [before, ...logins.flatMap((each) => each.tokens ?? [])]) {
      await eventually(async () => (await api(service).rest.me(tokens.access_token)).status === 401);
    }
  });
});

test("an id that holds a colon is read, changed and deleted like any other", async () => {
  const id = `${newName("client")}:rotateSecret`;
  expect((await admin("POST", "/admin/clients", { client_id: id, ...machine })).status).toBe(200);
  const path = `/admin/clients/${encodeURIComponent(id)}`;
  expect((await admin("GET", path)).json).toMatchObject({ id });
  expect((await admin("PATCH", path, { name: "x" })).json).toMatchObject({ id, name: "x" });
  expect((await admin("POST", `${path}:rotateSecret`)).json).toMatchObject({ client: { id } });
  expect((await admin("DELETE", path)).json).toMatchObject({ client_id: id, done: true });
});

test.each<[string, object]>([
  ["name", { name: "a\u0000b" }],
  ["grants", { grants: ["implicit"] }],
  ["grants", { grants: ["password"] }],
  ["grants", { grants: [] }],
  ["scopes", { scopes: ["two words"] }],
  ["scopes", { scopes: ["\u0000"] }],
  ["scopes", { scopes: Array.from({ length: 100 }, (_, index) => `scope-${1000 + index}`) }],
  ["audiences", { audiences: [""] }],
  ["audiences", { audiences: ["\u0000"] }],
  ["audiences", { audiences: ["é".repeat(128)] }],
  ["audiences", { audiences: Array.from({ length: 5 }, (_, index) => `${index}`.repeat(250)) }],
  ["can_introspect", { public: true, grants: ["refresh_token"], can_introspect: true }],
  ["redirect_uris", { redirect_uris: ["javascript:alert(1)"] }],
  [
    "redirect_uris",
    { redirect_uris: Array.from({ length: 9 }, (_, index) => `https://a.example/${index}`.padEnd(500, "x")) },
  ],
  ["post_logout_redirect_uris", { post_logout_redirect_uris: ["https://*.example.org/"] }],
])("a wrong %s is refused and named", async (field, body) => {
  const request = { client_id: newName("client"), ...machine, ...body };
  const { status, json } = await admin("POST", "/admin/clients", request);
  expect([status, json["errors"]]).toMatchObject([422, [{ field }]]);
});

test("lists lead from page to page, in any order, with any condition", async () => {
  const scope = newName("scope");
  const ids: string[] = [];
  for (let count = 0; count < 5; count += 1) ids.push((await register({ ...machine, scopes: [scope] })).id);
  const list = async (orderBy: string): Promise<string[]> => {
    const found: string[] = [];
    let token = "";
    do {
      const query = new URLSearchParams({
        filter: `scopes:${scope}`,
        order_by: orderBy,
        page_size: "2",
        page_token: token,
      });
      const { json } = await admin("GET", `/admin/clients?${query.toString()}`);
      found.push(...(json["clients"] as unknown as { id: string }[]).map(({ id }) => id));
      token = textOf(json["next_page_token"]);
    } while (token !== "");
    return found;
  };
  expect(await list("")).toEqual(ids.toSorted());
  expect(await list("client_id desc")).toEqual(ids.toSorted().toReversed());
  expect(await list("created_at")).toEqual(ids);
  const filter = encodeURIComponent(`client_id = "${ids[0]?.slice(0, -1)}*"`);
  expect((await admin("GET", `/admin/clients?filter=${filter}`)).json["clients"]).toMatchObject([
    { id: ids[0] },
  ]);
});
