import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { setTimeout as delay } from "node:timers/promises";
import { addClient, postOf } from "../_harness/clients.ts";
import { eventually } from "../_harness/eventually.ts";
import * as given from "../_harness/given.ts";
import { basic, send, sendForm } from "../_harness/rest.ts";
import { changeUser } from "../_harness/rows/users.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql, withSql } from "../_harness/sql.ts";
import { textOf } from "../_harness/text-of.ts";

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

const me = (authorization: string) => send(`${service.url}/auth/me`, { headers: { authorization } });

test("GET /auth/me answers the user as the contract has it, and null for what is unset", async () => {
  const user = await given.user(service, { username: "Ada" });
  const { access_token } = await given.session(service, { user });
  const { status, headers, json } = await me(`Bearer ${access_token}`);
  expect(status).toBe(200);
  expect(json).toEqual({
    id: expect.stringMatching(/^usr_[0-9a-z]{26}$/),
    username: "Ada",
    email: null,
    is_active: true,
    status: "active",
    roles: [],
    created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    last_login_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
  });
  expect(Object.keys(json)).toEqual([
    "id",
    "username",
    "email",
    "is_active",
    "status",
    "roles",
    "created_at",
    "last_login_at",
  ]);
  expect(headers.get("cache-control")).toBe("private, no-store");
});

test("a login by an earlier version, which runs beside this one, is shown", async () => {
  const user = await given.user(service, { username: "charles" });
  const { access_token } = await given.session(service, { user });
  const at = new Date("2031-02-03T04:05:06.000Z");
  await withSql(service.databaseUrl, (sql) => changeUser(sql, user, { last_login_at: at }));
  expect((await me(`Bearer ${access_token}`)).json["last_login_at"]).toBe("2031-02-03T04:05:06Z");
});

test.each(["bearer", "BEARER", "Bearer "])("the scheme %j is taken", async (scheme) => {
  const { access_token } = await given.session(service, { user: service.admin });
  expect((await me(`${scheme} ${access_token}`)).status).toBe(200);
});

test("an access token anywhere but in the header is not looked at", async () => {
  const { access_token } = await given.session(service, { user: service.admin });
  const answer = await send(`${service.url}/auth/me?access_token=${access_token}`);
  expect([400, 401]).toContain(answer.status);
});

test("roles come from the store, not from the token", async () => {
  const user = await given.user(service, { username: "grace", roles: ["ops"] });
  const { access_token } = await given.session(service, { user });
  await withSql(service.databaseUrl, (sql) => changeUser(sql, user, { roles: ["admin"] }));
  expect((await me(`Bearer ${access_token}`)).json["roles"]).toEqual(["admin"]);
});

test.each<[string, (user: given.TestUser & { readonly id: string }) => Promise<unknown>]>([
  ["suspended", ({ username }) => service.command(["user", "suspend", username])],
  ["deactivated", ({ username }) => service.command(["user", "deactivate", username])],
  ["pending", (user) => withSql(service.databaseUrl, (sql) => changeUser(sql, user, { status: "pending" }))],
])("a user who is %s is refused within a second", async (status, end) => {
  const user = await given.user(service, { username: `user-${status}` });
  const { access_token } = await given.session(service, { user });
  expect((await me(`Bearer ${access_token}`)).status).toBe(200);
  await end(user);
  // sleep: within a second is the promise.
  await delay(1000);
  const answer = await me(`Bearer ${access_token}`);
  expect([answer.status, answer.json["reason"]]).toEqual([401, "invalid_token"]);
});

test("a genuine token that is not for this endpoint is refused with why, in the answer and in the log", async () => {
  const sql = await openSql(service.databaseUrl);
  const audience = "https://api.example.org";
  const app = await addClient(sql, { grants: ["client_credentials"], audiences: [audience] });
  const machine = await addClient(sql, { grants: ["client_credentials"] });
  await sql.end();
  const tokenOf = async (input: Readonly<Record<string, string>>) =>
    textOf((await sendForm(`${service.url}/auth/token`, input)).json["access_token"]);
  const cases = [
    [
      await tokenOf({ grant_type: "client_credentials", ...postOf(app) }),
      "The access token is for another audience than this service.",
    ],
    [
      await tokenOf({ grant_type: "client_credentials", ...postOf(machine) }),
      "The access token is a client's own, and this is for users.",
    ],
    ["a.b.c", "The access token is invalid, expired or revoked."],
  ] as const;
  for (const [token, detail] of cases) {
    const { status, json } = await me(`Bearer ${token}`);
    expect([status, json["reason"], json["detail"]]).toEqual([401, "invalid_token", detail]);
    const findLine = () => service.logs().find((each) => each["request_id"] === json["request_id"]);
    await eventually(() => findLine() !== undefined);
    expect(findLine()).toMatchObject({ status: 401, reason: "invalid_token", detail });
  }
});

test("Basic is named in WWW-Authenticate only to a caller who sent Basic", async () => {
  const challenge = async (authorization?: string) => {
    const headers = authorization === undefined ? {} : { authorization };
    return (await send(`${service.url}/auth/me`, { headers })).headers.get("www-authenticate");
  };
  expect(await challenge()).toBe('Bearer realm="countersign"');
  expect(await challenge("Bearer x")).toBe('Bearer realm="countersign", error="invalid_token"');
  expect(await challenge("Digest x")).toBe('Bearer realm="countersign"');
  expect(await challenge(basic("a:b").authorization)).toBe('Basic realm="countersign", charset="UTF-8"');
  expect(await challenge("Basic")).toBe('Basic realm="countersign", charset="UTF-8"');
});
