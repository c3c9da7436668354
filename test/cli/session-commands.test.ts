import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from "@jest/globals";
import type { Client } from "pg";
import { sessionIdOf, type Tokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import * as given from "../_harness/given.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

// Every command is a process of its own.
jest.setTimeout(120_000);

let service: TestService;
let sql: Client;
let user: given.TestUser & { readonly id: string };
beforeAll(async () => {
  service = await startService();
  sql = await openSql(service.databaseUrl);
}, 60_000);
afterAll(async () => {
  await sql.end();
  await service.stop();
});
beforeEach(async () => {
  user = await given.user(sql);
});

const begin = () => given.session(service, { user });

async function isLive({ access_token, refresh_token }: Tokens): Promise<boolean> {
  const statuses = [
    (await api(service).rest.me(access_token)).status,
    (await api(service).rest.refresh(refresh_token)).status,
  ];
  expect(new Set(statuses).size).toBe(1);
  return statuses[0] === 200;
}

const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe("session list", () => {
  test("is an object a line with --json, the newest first, as REST shows it", async () => {
    const older = await begin();
    const newer = await begin();
    const { code, stdout, stderr } = await service.command(["session", "list", user.username, "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const expected = [newer, older].map((tokens) => ({
      id: sessionIdOf(tokens),
      client_id: "countersign",
      current: false,
      created_at: expect.stringMatching(timeForm),
      last_used_at: expect.stringMatching(timeForm),
      idle_expires_at: expect.stringMatching(timeForm),
      expires_at: expect.stringMatching(timeForm),
      client_address: "127.0.0.1",
      user_agent: "node",
    }));
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(expected);
    expect(stdout).not.toContain(newer.refresh_token.slice(4, 40));
  });

  test("is a table on a terminal, and says so where there is none", async () => {
    const none = await service.command(["session", "list", user.username]);
    expect(none).toEqual({ code: 0, stdout: "", stderr: "The user has no live sessions.\n" });
    const id = sessionIdOf(await begin());
    const { stdout } = await service.command(["session", "list", user.username]);
    const [titles, row, ...others] = stdout.trimEnd().split("\n");
    expect(titles).toMatch(/^ID +CLIENT +BEGAN +LAST USED +ADDRESS +USER AGENT$/);
    expect(row).toMatch(new RegExp(`^${id} +countersign +\\S+Z +\\S+Z +127\\.0\\.0\\.1 +node$`));
    expect(others).toEqual([]);
  });
});

describe("session revoke", () => {
  test("with --session ends that session at once, and no other", async () => {
    const [ended, other] = [await begin(), await begin()];
    const args = ["session", "revoke", user.username, "--session", sessionIdOf(ended)];
    expect(await service.command(args)).toEqual({ code: 0, stdout: "revoked\n", stderr: "" });
    expect([await isLive(ended), await isLive(other)]).toEqual([false, true]);
    // It is no live session any more.
    const again = await service.command(args);
    expect(again).toEqual({ code: 1, stdout: "", stderr: "There is no such session.\n" });
  });

  test("with --all ends all of the user's sessions at once, and nobody else's", async () => {
    const [one, two] = [await begin(), await begin()];
    const other = await given.session(service, { sql });
    const args = ["session", "revoke", user.username.toUpperCase(), "--all"];
    expect(await service.command(args)).toEqual({ code: 0, stdout: "revoked\n", stderr: "" });
    expect([await isLive(one), await isLive(two), await isLive(other)]).toEqual([false, false, true]);
  });

  test("ends no session of another user", async () => {
    const tokens = await begin();
    const other = await given.user(sql);
    const args = ["session", "revoke", other.username, "--session", sessionIdOf(tokens)];
    expect(await service.command(args)).toMatchObject({ code: 1, stderr: "There is no such session.\n" });
    expect(await isLive(tokens)).toBe(true);
  });
});

test.each([
  [["list", "nobody"]],
  [["revoke", "nobody", "--all"]],
  [["revoke", "nobody", "--session", "ses_none"]],
])("session %j fails with exit code 1 where there is no such user", async (args) => {
  const result = await service.command(["session", ...args]);
  expect(result).toEqual({ code: 1, stdout: "", stderr: "There is no such user.\n" });
});

test.each([
  [["list"], "It takes one argument: NAME."],
  [["list", "a", "b"], "It takes one argument: NAME."],
  [["list", "a", "--all"], "Unknown option '--all'."],
  [["revoke", "a"], "Give either --session or --all."],
  [["revoke", "a", "--all", "--session", "x"], "Give either --session or --all."],
  [["revoke", "--all"], "It takes one argument: NAME."],
])("session %j is wrong usage, with exit code 2", async (args, sentence) => {
  const { code, stdout, stderr } = await service.command(["session", ...args]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr.split("\n")[0]).toBe(sentence);
  expect(stderr).toContain(`usage: countersign session ${args[0]}`);
});
