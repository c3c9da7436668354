import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { decodeJwt } from "jose";
import type { Client } from "pg";
import { sendForm } from "../_harness/rest.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { api } from "../_harness/api.ts";
import * as given from "../_harness/given.ts";
import { openSql } from "../_harness/sql.ts";
import { textOf } from "../_harness/text-of.ts";
import { type AdminCaller, newName, signInWith } from "./callers.ts";

// What administrators do to users, and what comes of it.
// its own SQL: it takes the roles of all, and reads counters.

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

const password = "seventeen quiet herons";

async function addUser(
  body: object = {},
): Promise<{ readonly id: string; readonly username: string; readonly etag: string }> {
  const username = newName("user");
  const { status, json } = await admin("POST", "/admin/users", { username, password, ...body });
  expect(status).toBe(200);
  return { id: textOf(json["id"]), username, etag: textOf(json["etag"]) };
}

describe("a user who was created", () => {
  test("with an address alone signs in with it, however it is written, and changes the password", async () => {
    const email = `${newName("Ada")}@Example.org`;
    const { json } = await admin("POST", "/admin/users", { email, password });
    expect(json).toMatchObject({ username: null, email });
    const { tokens } = await api(service).rest.login({ username: email.toUpperCase(), password });
    const token = tokens?.access_token ?? "";
    const changed = await fetch(`${service.url}/auth/change-password`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ current_password: password, new_password: "eighteen quiet herons" }),
    });
    expect(changed.status).toBe(200);
  });

  test("without a password is told what a wrong password is told, until one is set", async () => {
    const { id, username } = await addUser({ password: "" });
    expect(await api(service).rest.login({ username, password })).toMatchObject({
      reason: "invalid_credentials",
    });
    expect((await admin("POST", `/admin/users/${id}:setPassword`, { password })).status).toBe(200);
    expect((await api(service).rest.login({ username, password })).status).toBe(200);
    expect(service.logs().filter(({ msg }) => /hash/i.test(String(msg)))).toEqual([]);
  });

  test("with claims has them in access tokens, and none of them takes the place of ours", async () => {
    const { id, username } = await addUser({ claims: { tenant: "acme", groups_of: ["a", 1] } });
    const { access_token } = await given.session(service, { user: { username, password } });
    expect(decodeJwt(access_token)).toMatchObject({ tenant: "acme", groups_of: ["a", 1], sub: id });
    await admin("PATCH", `/admin/users/${id}`, { update_mask: "claims" });
    expect(
      decodeJwt((await given.session(service, { user: { username, password } })).access_token),
    ).not.toHaveProperty("tenant");
  });
});

describe("a user is refused where a field is wrong:", () => {
  test.each([
    [{ username: "a@b" }, "username"],
    [{ username: "a\u0000" }, "username"],
    [{ email: "nowhere" }, "email"],
    [{ display_name: "a\u0000b" }, "display_name"],
    [{ locale: "en_GB" }, "locale"],
    [{ roles: ["no-such-role"] }, "roles"],
    [{ claims: { sub: "me" } }, "claims"],
    [{ claims: { roles: ["admin"] } }, "claims"],
    [{ claims: { a: "\u0000" } }, "claims"],
    [{ claims: { a: "x".repeat(1024) } }, "claims"],
    [{ claims: { "a b": 1 } }, "claims"],
  ])("%j", async (body, field) => {
    const answer = await admin("POST", "/admin/users", { username: newName("user"), ...body });
    expect(answer.status).toBe(422);
    expect(answer.json["errors"]).toEqual([{ field, code: expect.any(String), detail: expect.any(String) }]);
  });
});

test("the largest claims and roles that can be set fit in a token that is taken everywhere", async () => {
  const roles = Array.from(
    { length: 32 },
    (_, index) => `${String(index).padStart(2, "0")}${"r".repeat(62)}`,
  );
  for (const name of roles) await sql.query("insert into roles values ($1, '', '{}', '{}')", [name]);
  const claims = { a: "x".repeat(2400 - JSON.stringify(roles).length - '{"a":""}'.length) };
  const { username } = await addUser({ roles, claims });
  const { access_token } = await given.session(service, { user: { username, password } });
  expect(decodeJwt(access_token)).toMatchObject({ roles, ...claims });
  expect((await api(service).rest.me(access_token)).status).toBe(200);
});

describe("a required change of the password", () => {
  test("stops logins with a clear reason, until it is made with the old password, which signs in", async () => {
    const { id, username } = await addUser();
    await admin("POST", `/admin/users/${id}:requirePasswordChange`);
    expect(await api(service).rest.login({ username, password })).toMatchObject({
      status: 403,
      reason: "password_change_required",
    });
    expect(await api(service).rest.login({ username, password: "wrong" })).toMatchObject({
      reason: "invalid_credentials",
    });
    const form = { username, current_password: password, new_password: "eighteen quiet herons" };
    const changed = await sendForm(`${service.url}/auth/change-password`, form);
    expect(changed.status).toBe(200);
    expect((await api(service).rest.me(textOf(changed.json["access_token"]))).status).toBe(200);
    expect((await api(service).rest.login({ username, password: "eighteen quiet herons" })).status).toBe(200);
    expect((await api(service).rest.login({ username, password })).reason).toBe("invalid_credentials");
  });

  test("is made by a user who is signed in too", async () => {
    const { id, username } = await addUser();
    const { access_token } = await given.session(service, { user: { username, password } });
    await admin("POST", `/admin/users/${id}:requirePasswordChange`);
    const answer = await fetch(`${service.url}/auth/change-password`, {
      method: "POST",
      headers: { authorization: `Bearer ${access_token}`, "content-type": "application/json" },
      body: JSON.stringify({ current_password: password, new_password: "eighteen quiet herons" }),
    });
    expect(answer.status).toBe(200);
    expect((await api(service).rest.login({ username, password: "eighteen quiet herons" })).status).toBe(200);
  });
});

describe("a change", () => {
  test("of one state is made by one of two admins, and the other is told", async () => {
    const { id, etag } = await addUser();
    const other = (await signInWith(service, "admin")).call;
    const answers = await Promise.all([
      admin("PATCH", `/admin/users/${id}`, { locale: "fr", etag }),
      other("PATCH", `/admin/users/${id}`, { locale: "de", etag }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(expect.arrayContaining([200, 409]));
    expect(answers.map(({ json }) => json["reason"])).toContain("conflict");
  });

  test("leaves what its mask does not name, and empties what it names and does not hold", async () => {
    const { id } = await addUser({ display_name: "Ada", locale: "en", email: `${newName("a")}@example.org` });
    const change = { locale: "fr", update_mask: "display_name,locale" };
    const { json } = await admin("PATCH", `/admin/users/${id}`, change);
    expect(json).toMatchObject({ display_name: null, locale: "fr", email: expect.stringContaining("@") });
  });

  test("that a login came between is made all the same", async () => {
    const { id, etag, username } = await addUser();
    await given.session(service, { user: { username, password } });
    expect((await admin("PATCH", `/admin/users/${id}`, { locale: "fr", etag })).status).toBe(200);
  });

  test("of the status ends the sessions, and their tokens open nothing", async () => {
    const { id, username } = await addUser();
    const tokens = await given.session(service, { user: { username, password } });
    await admin("POST", `/admin/users/${id}:suspend`);
    expect((await api(service).rest.me(tokens.access_token)).status).toBe(401);
    expect((await api(service).rest.refresh(tokens.refresh_token)).status).toBe(401);
    await admin("POST", `/admin/users/${id}:reactivate`);
    expect((await api(service).rest.me(tokens.access_token)).status).toBe(401);
    expect((await api(service).rest.login({ username, password })).status).toBe(200);
  });
});

test("devices that were forgotten are known no more, and sessions go on", async () => {
  const { id, username } = await addUser();
  const form = { username, password, remember_device: "true" };
  const first = await sendForm(`${service.url}/auth/login`, form);
  const token = textOf(first.json["access_token"]);
  expect((await admin("POST", `/admin/users/${id}:forgetDevices`)).status).toBe(204);
  expect((await api(service).rest.me(token)).status).toBe(200);
  const { rows } = await sql.query("select session_epoch from users where id = $1", [id]);
  expect(rows).toEqual([{ session_epoch: "1" }]);
});

test("of fifty admins who delete each other at once one is left", async () => {
  await sql.query("update users set roles = '{}' where roles @> '{admin}'");
  const admins: { readonly id: string; readonly call: AdminCaller }[] = [];
  for (let count = 0; count < 50; count += 1) {
    const { token, call } = await signInWith(service, "admin");
    admins.push({ id: String(decodeJwt(token).sub), call });
  }
  const statuses = await Promise.all(
    admins.map(async ({ call }, index) => {
      for (let step = 1; step < admins.length; step += 1) {
        const { status } = await call("DELETE", `/admin/users/${admins[(index + step) % admins.length]?.id}`);
        if (status === 401) return [status];
        expect([204, 403, 404, 503]).toContain(status);
        // So many wait for one another that some give up: these ask again.
        if (status === 503) step -= 1;
      }
      return [];
    }),
  );
  expect(statuses.flat()).toHaveLength(49);
  const left = await sql.query("select 1 from users where roles @> '{admin}' and status = 'active'");
  expect(left.rowCount).toBe(1);
}, 300_000);
