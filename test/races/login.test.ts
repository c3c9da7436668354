import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { api } from "../_harness/api.ts";
import { countEvents } from "../_harness/rows/audit.ts";
import { untilWaiting } from "../_harness/rows/locks.ts";
import { countSessions } from "../_harness/rows/sessions.ts";
import { changeUser, deleteUsers, moveEpoch } from "../_harness/rows/users.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

let service: TestService;
let sql: Client;
const user = { username: "victor", password: "correct horse battery" };
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());
beforeEach(async () => {
  const created = await service.command(["user", "create", user.username], user.password);
  if (created.code !== 0) throw new Error(created.stderr);
  sql = await openSql(service.databaseUrl);
});
afterEach(async () => {
  await deleteUsers(sql, user.username);
  await sql.end();
});

/** Resolves once the login has read the user, checked the password, and waits to write its session. */
const loginToWait = () => untilWaiting(service.databaseUrl);

describe("a login that overlaps with a change to its user", () => {
  test.each([
    ["a change of password", () => moveEpoch(sql, user.username)],
    ["a suspension", () => changeUser(sql, user, { status: "suspended" })],
    ["a deletion", () => deleteUsers(sql, user.username)],
  ])("gets no session where %s came in between", async (_what, change) => {
    const succeeded = await countEvents(sql, "login.succeeded");
    await sql.query("begin");
    await change();
    const login = api(service).rest.login(user);
    await loginToWait();
    await sql.query("commit");
    expect(await login).toMatchObject({ status: 401, reason: "invalid_credentials" });
    expect(await countSessions(sql)).toBe(0);
    expect(await countEvents(sql, "login.succeeded")).toBe(succeeded);
  });

  test("gets its session where the change was undone", async () => {
    await sql.query("begin");
    await moveEpoch(sql, user.username);
    const login = api(service).rest.login(user);
    await loginToWait();
    await sql.query("rollback");
    expect(await login).toMatchObject({ status: 200, reason: null });
  });
});
