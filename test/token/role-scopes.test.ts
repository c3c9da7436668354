import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { decodeJwt } from "jose";
import type { Client } from "pg";
import { requireTokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { addClient, postOf, type TestClient } from "../_harness/clients.ts";
import * as given from "../_harness/given.ts";
import type { RestAnswer } from "../_harness/rest.ts";
import { setScopes } from "../_harness/rows/clients.ts";
import { insertRole, setRoleScopes } from "../_harness/rows/roles.ts";
import { changeUser } from "../_harness/rows/users.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

// A client asks for scopes, and a user's roles say which the user gets.

let service: TestService;
let sql: Client;
let app: TestClient;
beforeAll(async () => {
  service = await startService();
  sql = await openSql(service.databaseUrl);
  for (const [role, scope] of [
    ["desk", "orders"],
    ["till", "payments"],
    ["chief", "orders"],
  ] as const) {
    await insertRole(sql, role);
    await setRoleScopes(sql, role, [scope]);
  }
  const scopes = ["profile", "orders", "payments", "countersign.support"];
  app = await addClient(sql, { firstParty: true, grants: ["password", "refresh_token"], scopes });
});
afterAll(async () => {
  await sql.end();
  await service.stop();
});

/** What a token says of scopes, and what the answer does. */
function scopesIn(answer: RestAnswer): { readonly token: unknown; readonly said: unknown } {
  const { access_token: token } = requireTokens(answer);
  return { token: decodeJwt(token)["scope"], said: answer.json["scope"] };
}

const logIn = (user: given.TestUser, scope: string) =>
  api(service).rest.login(user, { ...postOf(app), scope });
const refresh = (tokens: { readonly refresh_token: string }, more = {}) =>
  api(service).rest.refresh(tokens.refresh_token, { ...postOf(app), ...more });
// sleep: a process remembers roles and clients for a second.
const untilKnown = () => sleep(1_000);

test.each([
  ["no role", [], "profile orders", "profile", "profile"],
  ["a role with it", ["desk"], "orders profile", "orders profile", undefined],
  ["another role with it", ["chief"], "profile orders payments", "profile orders", "profile orders"],
  ["several roles", ["desk", "till"], "payments orders", "payments orders", undefined],
  ["a role that there is not", ["nobody"], "orders", undefined, ""],
  ["no role, of which none is asked", [], "", undefined, undefined],
  ["a role without the scope of another", ["desk"], "countersign.support", undefined, ""],
  [
    "a built-in role, whose scope is its own",
    ["support"],
    "countersign.support",
    "countersign.support",
    undefined,
  ],
])(
  "a user with %s gets its scopes, and is told where they are fewer",
  async (_what, roles, asked, token, said) => {
    const user = await given.user(sql, { roles });
    expect(scopesIn(await logIn(user, asked))).toEqual({ token, said });
  },
);

test("a refresh gives what the roles give then, and never more than the login did", async () => {
  const user = await given.user(sql, { roles: ["desk"] });
  const login = await logIn(user, "orders profile payments");
  expect(scopesIn(login)).toEqual({ token: "orders profile", said: "orders profile" });
  await changeUser(sql, user, { roles: ["till"] });
  const without = await refresh(requireTokens(login));
  expect(scopesIn(without)).toEqual({ token: "profile", said: "profile" });
  const more = await refresh(requireTokens(without), { scope: "payments" });
  expect([more.status, more.reason]).toEqual([400, "invalid_scope"]);
  await changeUser(sql, user, { roles: ["chief"] });
  const again = await refresh(requireTokens(without));
  expect(scopesIn(again)).toEqual({ token: "orders profile", said: undefined });
  const narrowed = await refresh(requireTokens(again), { scope: "orders" });
  expect(scopesIn(narrowed)).toEqual({ token: "orders", said: undefined });
});

test("a scope that a role is given is its holders' from then on, and everybody's when the last role has lost it", async () => {
  await setScopes(sql, app.id, ["profile", "orders", "payments", "countersign.support", "reports"]);
  await untilKnown();
  const user = await given.user(sql);
  expect(scopesIn(await logIn(user, "reports"))).toEqual({ token: "reports", said: undefined });
  await insertRole(sql, "analyst");
  await setRoleScopes(sql, "analyst", ["reports"]);
  await untilKnown();
  const login = await logIn(user, "reports");
  expect(scopesIn(login)).toEqual({ token: undefined, said: "" });
  await setRoleScopes(sql, "analyst", []);
  await untilKnown();
  expect(scopesIn(await logIn(user, "reports"))).toEqual({ token: "reports", said: undefined });
});

test("a scope that is taken from the client is in no token that is refreshed after that", async () => {
  const scopes = ["a", "b"];
  const client = await addClient(sql, { firstParty: true, grants: ["password", "refresh_token"], scopes });
  const user = await given.user(sql);
  const login = await api(service).rest.login(user, { ...postOf(client), scope: "a b" });
  await setScopes(sql, client.id, ["b"]);
  await untilKnown();
  const refreshed = await api(service).rest.refresh(requireTokens(login).refresh_token, postOf(client));
  expect(scopesIn(refreshed)).toEqual({ token: "b", said: "b" });
});

test("a change of password gives no scope that the roles have lost", async () => {
  const user = await given.user(sql, { roles: ["desk"] });
  const tokens = requireTokens(await logIn(user, "orders profile"));
  await changeUser(sql, user, { roles: [] });
  await untilKnown();
  const input = { current_password: user.password, new_password: "seventeen quiet herons" };
  const answer = await api(service).rest.call({ rpc: "ChangePassword", input, bearer: tokens.access_token });
  expect(scopesIn(answer)).toEqual({ token: "profile", said: "profile" });
});
