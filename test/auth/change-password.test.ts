import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { decodeJwt } from "jose";
import type { Client } from "pg";
import { requireTokens, type Tokens } from "../_harness/answer.ts";
import { api, type Api, wayNames } from "../_harness/api.ts";
import * as given from "../_harness/given.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

const newPassword = "another good password";

let service: TestService;
let calls: Api;
let sql: Client;
beforeAll(async () => {
  service = await startService({ env: { BUILTIN_CLIENT_SCOPES: "a b" } });
  calls = api(service);
  sql = await openSql(service.databaseUrl);
});
afterAll(async () => {
  calls.close();
  await sql.end();
  await service.stop();
});

async function begin(): Promise<{ readonly user: given.TestUser; readonly tokens: Tokens }> {
  const user = await given.user(sql);
  return { user, tokens: await given.session(service, { user }) };
}

async function expectDead(tokens: Tokens): Promise<void> {
  expect(await api(service).rest.me(tokens.access_token)).toMatchObject({ status: 401 });
  expect(await api(service).rest.refresh(tokens.refresh_token)).toMatchObject({
    reason: "invalid_refresh_token",
  });
}

async function expectAlive(tokens: Tokens): Promise<void> {
  expect(await api(service).rest.me(tokens.access_token)).toMatchObject({ status: 200 });
  requireTokens(await api(service).rest.refresh(tokens.refresh_token));
}

describe.each(wayNames)("a change of password by %s", (name) => {
  const call = (current_password: string, new_password: string, bearer?: string) =>
    calls.ways[name].call({
      rpc: "ChangePassword",
      input: { current_password, new_password },
      ...(bearer === undefined ? {} : { bearer }),
    });

  test("ends every other session, answers with a new one, and the new password alone signs in", async () => {
    const { user, tokens } = await begin();
    const other = await given.session(service, { user });
    const answer = await call(user.password, newPassword, tokens.access_token);
    expect(answer).toMatchObject({ reason: null, message: { token_type: "bearer", expires_in: 900 } });
    await expectDead(tokens);
    await expectDead(other);
    await expectAlive(answer.message as unknown as Tokens);
    expect(await api(service).rest.login(user)).toMatchObject({ status: 401, reason: "invalid_credentials" });
    requireTokens(await api(service).rest.login({ ...user, password: newPassword }));
  });

  test("names a wrong current password, and changes nothing", async () => {
    const { user, tokens } = await begin();
    const answer = await call("not the password", newPassword, tokens.access_token);
    expect(answer).toMatchObject({ reason: "validation_failed", fields: ["current_password"] });
    await expectAlive(tokens);
    requireTokens(await api(service).rest.login(user));
  });

  test.each([
    ["short", "seven77"],
    ["common", "password123"],
    ["long", "x".repeat(1025)],
  ])("names a new password that is too %s, and changes nothing", async (_what, bad) => {
    const { user, tokens } = await begin();
    const answer = await call(user.password, bad, tokens.access_token);
    expect(answer).toMatchObject({ reason: "validation_failed", fields: ["new_password"] });
    await expectAlive(tokens);
    requireTokens(await api(service).rest.login(user));
  });

  test("names what is missing", async () => {
    const { user, tokens } = await begin();
    expect(await call(user.password, "", tokens.access_token)).toMatchObject({ fields: ["new_password"] });
    expect(await call("", newPassword, tokens.access_token)).toMatchObject({ fields: ["current_password"] });
  });

  test("needs an access token, and one whose session lives", async () => {
    const { user, tokens } = await begin();
    expect(await call(user.password, newPassword)).toMatchObject({ reason: "missing_token" });
    await calls.ways[name].call({ rpc: "Logout", input: { refresh_token: tokens.refresh_token } });
    expect(await call(user.password, newPassword, tokens.access_token)).toMatchObject({
      reason: "invalid_token",
    });
    requireTokens(await api(service).rest.login(user));
  });
});

describe("a change of password", () => {
  test("keeps the scope of the session that asked for it", async () => {
    const user = await given.user(sql);
    const login = await calls.json.login(user, { scope: "b" });
    const { message } = await calls.json.call({
      rpc: "ChangePassword",
      input: { current_password: user.password, new_password: newPassword },
      bearer: String(login.message["access_token"]),
    });
    expect(decodeJwt(String(message["access_token"]))["scope"]).toBe("b");
  });

  test("succeeds for one of several that overlap", async () => {
    const { user, tokens } = await begin();
    const passwords = Array.from({ length: 6 }, (_, index) => `another good password ${index}`);
    const answers = await Promise.all(
      passwords.map((password) =>
        calls.json.call({
          rpc: "ChangePassword",
          input: { current_password: user.password, new_password: password },
          bearer: tokens.access_token,
        }),
      ),
    );
    const good = answers.flatMap(({ reason }, index) => (reason === null ? [index] : []));
    expect(good).toHaveLength(1);
    for (const { reason } of answers) {
      expect([null, "conflict", "invalid_token", "validation_failed"]).toContain(reason);
    }
    requireTokens(await api(service).rest.login({ ...user, password: passwords[good[0] ?? -1] ?? "" }));
  });
});
