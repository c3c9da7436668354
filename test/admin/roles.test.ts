import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { addClient, basicOf } from "../_harness/clients.ts";
import { sendForm } from "../_harness/rest.ts";
import { readEventsBy } from "../_harness/rows/audit.ts";
import { deleteClient, setScopes } from "../_harness/rows/clients.ts";
import { countRoles } from "../_harness/rows/roles.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";
import { textOf } from "../_harness/text-of.ts";
import { type AdminCaller, callerWith, newName, signInWith } from "./callers.ts";

// Roles as data, and who holds what they permit.

let service: TestService;
let sql: Client;
let admin: AdminCaller;
beforeAll(async () => {
  service = await startService();
  sql = await openSql(service.databaseUrl);
  admin = (await signInWith(service, "admin")).call;
}, 120_000);
afterAll(async () => {
  await sql.end();
  await service.stop();
});

async function addRole(...permissions: string[]): Promise<string> {
  const name = newName("role");
  expect((await admin("POST", "/admin/roles", { name, permissions })).status).toBe(200);
  return name;
}

describe("a client that acts for itself", () => {
  const tokenOf = async (scopes: readonly string[], scope = scopes.join(" ")) => {
    const client = await addClient(sql, { grants: ["client_credentials"], scopes });
    const form = { grant_type: "client_credentials", scope };
    const { json } = await sendForm(`${service.url}/auth/token`, form, basicOf(client));
    return { client, call: callerWith(service.url, textOf(json["access_token"])) };
  };

  test("holds what the role of its scope permits, and is in the trail by its id", async () => {
    const { client, call } = await tokenOf(["countersign.admin"]);
    const name = newName("role");
    expect((await call("POST", "/admin/roles", { name })).status).toBe(200);
    const events = await readEventsBy(sql, "actor_id", client.id);
    expect(events.filter(({ type }) => type.startsWith("role."))).toEqual([
      { type: "role.created", actor_kind: "client", actor_id: client.id, reason: name },
    ]);
  });

  test.each([
    ["whose scope stands for a lesser role", ["countersign.support"], "countersign.support"],
    ["that did not ask for its scope", ["countersign.admin"], ""],
    ["without a scope", [], ""],
    ["with the name of a role for a scope", ["admin"], "admin"],
  ])("%s is refused", async (_what, scopes, scope) => {
    const { call } = await tokenOf(scopes, scope);
    const answer = await call("POST", "/admin/roles", { name: newName("role") });
    expect([answer.status, answer.json["reason"]]).toEqual([403, "permission_denied"]);
  });

  test("is refused at once when its scope is taken, and when it is deleted", async () => {
    const { client, call } = await tokenOf(["countersign.admin"]);
    expect((await call("GET", "/admin/roles")).status).toBe(200);
    await setScopes(sql, client.id, []);
    expect((await call("GET", "/admin/roles")).status).toBe(403);
    await deleteClient(sql, client.id);
    expect((await call("GET", "/admin/roles")).status).toBe(401);
  });
});

describe("a role", () => {
  test("permits at once what it says, to those who have it, and no longer when it says so no more", async () => {
    const name = await addRole("roles.read");
    const holder = (await signInWith(service, name)).call;
    expect((await holder("GET", "/admin/roles")).status).toBe(200);
    await admin("PATCH", `/admin/roles/${name}`, { permissions: [], update_mask: "permissions" });
    expect((await holder("GET", "/admin/roles")).status).toBe(403);
  });

  test("is changed only in the state that was read", async () => {
    const name = await addRole();
    const { json } = await admin("GET", `/admin/roles/${name}`);
    const change = { description: "new", etag: json["etag"] };
    const answers = await Promise.all([1, 2].map(() => admin("PATCH", `/admin/roles/${name}`, change)));
    expect(answers.map(({ status }) => status)).toEqual(expect.arrayContaining([200, 409]));
  });

  test.each(["POST", "PATCH", "DELETE"])("is not %sed by whoever lacks what it permits", async (method) => {
    const editor = (await signInWith(service, await addRole("roles.write", "roles.read"))).call;
    const name = method === "POST" ? newName("role") : await addRole("users.delete");
    const path = method === "POST" ? "/admin/roles" : `/admin/roles/${name}`;
    const body = { name, permissions: ["users.delete"], description: "x" };
    const answer = await editor(method, path, method === "DELETE" ? undefined : body);
    expect([answer.status, answer.json["reason"]]).toEqual([403, "permission_denied"]);
  });

  test("gives nobody more than its editor holds, the editor neither", async () => {
    const own = await addRole("roles.write", "roles.read");
    const editor = (await signInWith(service, own)).call;
    const raise = { permissions: ["roles.write", "roles.read", "users.delete"] };
    expect((await editor("PATCH", `/admin/roles/${own}`, raise)).status).toBe(403);
    expect(
      (await editor("PATCH", `/admin/roles/${own}`, { permissions: ["roles.write", "a:b"] })).status,
    ).toBe(200);
  });

  test("that is built in cannot be changed or deleted", async () => {
    expect((await admin("PATCH", "/admin/roles/support", { description: "x" })).status).toBe(403);
    expect((await admin("DELETE", "/admin/roles/admin")).status).toBe(403);
  });

  test.each([
    [{ name: "a b" }, "name"],
    [{ name: "a", description: "\u0000" }, "description"],
    [{ name: "a", permissions: ["nothing"] }, "permissions"],
    [{ name: "a", scopes: ['"'] }, "scopes"],
  ])("is refused where a field is wrong: %j", async (body, field) => {
    const { status, json } = await admin("POST", "/admin/roles", body);
    expect([status, json["errors"]]).toEqual([
      422,
      [{ field, code: "bad_form", detail: expect.any(String) }],
    ]);
  });

  test("that is asked for twice with one request_id is made once", async () => {
    const body = { name: newName("role"), request_id: "once" };
    const answers = await Promise.all([1, 2, 3].map(() => admin("POST", "/admin/roles", body)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await readEventsBy(sql, "reason", body.name)).toHaveLength(1);
  });
});

test("the list leads from page to page through own and built-in roles, by name", async () => {
  await addRole();
  await addRole();
  const names: string[] = [];
  let token = "";
  do {
    const { json } = await admin("GET", `/admin/roles?page_size=2&page_token=${token}`);
    names.push(...(json["roles"] as unknown as { name: string }[]).map(({ name }) => name));
    token = textOf(json["next_page_token"]);
  } while (token !== "");
  expect(names).toEqual(names.toSorted());
  expect(new Set(names).size).toBe(names.length);
  expect(names).toEqual(expect.arrayContaining(["admin", "auditor", "support", "user_admin"]));
  expect(names).toHaveLength((await countRoles(sql)) + 4);
});
