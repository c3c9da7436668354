import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Redis } from "ioredis";
import { type Fleet, startFleet } from "../_harness/fleet.ts";
import { startRedis, type TestRedis } from "../_harness/redis.ts";
import { api } from "../_harness/api.ts";
import * as given from "../_harness/given.ts";
import { openSql } from "../_harness/sql.ts";
import { textOf } from "../_harness/text-of.ts";
import { findSecrets, secret } from "../security/find-secrets.ts";
import { callerWith, newName, signInWith } from "./callers.ts";

// Administration over three processes and one Redis.
// its own SQL: it looks into every table that there is.

let redis: TestRedis;
let fleet: Fleet;
beforeAll(async () => {
  redis = await startRedis();
  fleet = await startFleet(3, { env: { REDIS_URL: redis.url } });
}, 180_000);
afterAll(async () => {
  await fleet.stop();
  await redis.stop();
});

const password = "seventeen quiet herons";

async function signInAdmin() {
  const [first] = fleet.members();
  if (first === undefined) throw new Error("there is no process");
  const { token } = await signInWith({ url: first.url, databaseUrl: fleet.databaseUrl }, "admin");
  return { token, callers: fleet.urls().map((url) => callerWith(url, token)) };
}

test("after an answer every process shows the change, one and in lists, at once", async () => {
  const { callers } = await signInAdmin();
  const [one] = callers;
  if (one === undefined) throw new Error("there is no process");
  const username = newName("user");
  const { json } = await one("POST", "/admin/users", { username, password });
  const id = textOf(json["id"]);
  const filter = encodeURIComponent(`username = "${username}"`);
  for (let round = 0; round < 20; round += 1) {
    const writer = callers[round % callers.length] ?? one;
    const locale = round % 2 === 0 ? "fr" : "de";
    expect((await writer("PATCH", `/admin/users/${id}`, { locale })).status).toBe(200);
    const seen = await Promise.all(
      callers.flatMap((call) => [
        call("GET", `/admin/users/${id}`),
        call("GET", `/admin/users?filter=${filter}`),
      ]),
    );
    for (const { json: found } of seen) {
      const user = "users" in found ? (found["users"] as object[])[0] : found;
      expect(user).toMatchObject({ id, locale });
    }
  }
});

test("roles that are given and taken on one process hold on the others at once", async () => {
  const { callers } = await signInAdmin();
  const [first] = fleet.members();
  const [one] = callers;
  if (first === undefined || one === undefined) throw new Error("there is no process");
  const { token, id } = await signInWith({ url: first.url, databaseUrl: fleet.databaseUrl });
  const path = `/admin/users/${id}`;
  for (let round = 0; round < 10; round += 1) {
    const roles = round % 2 === 0 ? ["support"] : [];
    expect((await one("PATCH", path, { roles, update_mask: "roles" })).status).toBe(200);
    const statuses = await Promise.all(
      fleet.urls().map(async (url) => (await callerWith(url, token)("GET", path)).status),
    );
    expect(new Set(statuses)).toEqual(new Set([round % 2 === 0 ? 200 : 403]));
  }
});

test("a deleted user is found in no store, their name can be taken again, and old tokens open nothing", async () => {
  const { callers } = await signInAdmin();
  const [one] = callers;
  const [url = ""] = fleet.urls();
  if (one === undefined) throw new Error("there is no process");
  const [username, local] = [newName("vanishing"), newName("gone")];
  const body = {
    username,
    email: `${local}@example.org`,
    display_name: newName("shown"),
    claims: { tenant: newName("claim") },
    password,
    request_id: "once",
  };
  const { json } = await one("POST", "/admin/users", body);
  const id = textOf(json["id"]);
  const tokens = await given.session(
    { url, databaseUrl: fleet.databaseUrl },
    { user: { username, password } },
  );
  await api(url).rest.login({ username, password: "wrong" });
  await api(url).rest.refresh(tokens.refresh_token);
  expect((await one("DELETE", `/admin/users/${id}`)).status).toBe(204);

  // sleep: a process that has seen the session may know it for a second more.
  await delay(1_100);
  for (const each of fleet.urls()) {
    expect((await api(each).rest.me(tokens.access_token)).status).toBe(401);
    expect((await api(each).rest.refresh(tokens.refresh_token)).status).toBe(401);
    expect((await api(each).rest.login({ username, password })).reason).toBe("invalid_credentials");
  }

  const sql = await openSql(fleet.databaseUrl);
  const { rows: tables } = await sql.query<{ name: string }>(
    "select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'",
  );
  const dump = await Promise.all(
    tables.map(async ({ name }) => {
      const { rows } = await sql.query<{ text: string }>(
        `select row_to_json(t)::text as text from "${name}" t`,
      );
      return { name, content: Buffer.from(rows.map(({ text }) => text).join("\n")) };
    }),
  );
  await sql.end();
  const client = new Redis(redis.url);
  const keys = await client.keys("*");
  const values = await Promise.all(keys.map((key) => client.dump(key)));
  client.disconnect();
  const places = [...dump, { name: "Redis", content: Buffer.from([...keys, ...values].join("\n")) }];
  const names = [username, local, body.display_name, body.claims.tenant].map((text) => secret(text, text));
  expect(findSecrets(names, places)).toEqual([]);
  // The id is the audit trail's pseudonym, and stands nowhere else.
  const withId = findSecrets([secret("the id", id)], places).filter(
    (found) => !/ in audit_(events|counts)/.test(found),
  );
  expect(withId).toEqual([]);

  const again = await one("POST", "/admin/users", { ...body, request_id: "" });
  expect(again.status).toBe(200);
  expect(again.json["id"]).not.toBe(id);
  expect((await api(url).rest.me(tokens.access_token)).status).toBe(401);
});
