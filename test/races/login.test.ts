import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { api } from "../_harness/api.ts";
import { eventually } from "../_harness/eventually.ts";
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
  await sql.query("delete from sessions; delete from users where username = 'victor'");
  await sql.end();
});

/** Resolves once the login has read the user, checked the password, and waits to write its session. */
async function loginToWait(): Promise<void> {
  const other = await openSql(service.databaseUrl);
  try {
    await eventually(async () => {
      const { rowCount } = await other.query(
        "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      );
      return rowCount === 1;
    });
  } finally {
    await other.end();
  }
}

async function sessions(): Promise<number> {
  const { rows } = await sql.query<{ count: number }>("select count(*)::int as count from sessions");
  return rows[0]?.count ?? -1;
}

async function countEvents(type: string): Promise<number> {
  const text = "select count(*)::int as count from audit_events where type = $1";
  const { rows } = await sql.query<{ count: number }>(text, [type]);
  return rows[0]?.count ?? -1;
}

describe("a login that overlaps with a change to its user", () => {
  test.each([
    ["a change of password", "update users set session_epoch = session_epoch + 1"],
    ["a suspension", "update users set status = 'suspended'"],
    ["a deletion", "delete from sessions; delete from users"],
  ])("gets no session where %s came in between", async (_what, change) => {
    const succeeded = await countEvents("login.succeeded");
    await sql.query("begin");
    await sql.query(change);
    const login = api(service).rest.login(user);
    await loginToWait();
    await sql.query("commit");
    expect(await login).toMatchObject({ status: 401, reason: "invalid_credentials" });
    expect(await sessions()).toBe(0);
    expect(await countEvents("login.succeeded")).toBe(succeeded);
  });

  test("gets its session where the change was undone", async () => {
    await sql.query("begin");
    await sql.query("update users set session_epoch = session_epoch + 1");
    const login = api(service).rest.login(user);
    await loginToWait();
    await sql.query("rollback");
    expect(await login).toMatchObject({ status: 200, reason: null });
  });
});
