import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { api } from "../_harness/api.ts";
import { eventually } from "../_harness/eventually.ts";
import * as given from "../_harness/given.ts";
import { readLastLogin } from "../_harness/rows/audit.ts";
import { changeUser, readUser } from "../_harness/rows/users.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { createSharedDatabase } from "../_harness/shared-stores.ts";
import { openSql } from "../_harness/sql.ts";

const password = "an unusual password";

let service: TestService;
let sql: Client;
beforeAll(async () => {
  service = await startService();
  sql = await openSql(service.databaseUrl);
  const made = [
    ["anna", "Anna@bücher.example"],
    ["bert", "bert@xn--bcher-kva.example"],
    ["ｃäｒｌ", "carl@Straße.example"],
  ] as const;
  for (const [name, email] of made) {
    const { code, stderr } = await service.command(["user", "create", name, "--email", email], password);
    if (code !== 0) throw new Error(stderr);
  }
}, 60_000);
afterAll(async () => {
  await sql.end();
  await service.stop();
});

async function logIn(username: string, { url }: Pick<TestService, "url"> = service): Promise<number> {
  return (await api(url).rest.login({ username, password })).status;
}

test("commands find a name as a login does", async () => {
  const args = ["user", "suspend", " BERT@bücher.example"];
  const { code, stderr } = await service.command(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(await logIn("bert")).toBe(403);
  expect((await service.command(["user", "reactivate", "bert"])).code).toBe(0);
});

describe("a name is the one that it was made as, however it is typed:", () => {
  test.each([
    ["anna", "anna"],
    [" anna", "anna"],
    ["ANNA\u00a0", "anna"],
    ["anna@bücher.example", "anna"],
    ["  anna@BÜCHER.example ", "anna"],
    ["anna@xn--bcher-kva.example", "anna"],
    ["ANNA@XN--BCHER-KVA.EXAMPLE", "anna"],
    ["bert@bücher.example", "bert"],
    ["bert@xn--bcher-kva.example", "bert"],
    ["Cärl", "ｃäｒｌ"],
    ["carl@xn--strae-oqa.example", "ｃäｒｌ"],
    ["carl@strasse.example", "ｃäｒｌ"],
  ])("%j", async (typed, username) => {
    expect(await logIn(typed)).toBe(200);
    expect(await readLastLogin(sql)).toMatchObject({ username });
  });

  test.each([
    ["anna", ["--email", "other@example.org"]],
    ["other", ["--email", "anna@xn--bcher-kva.example"]],
    ["other", ["--email", "bert@bücher.example"]],
  ])("and nobody else can have it: %s %j", async (name, options) => {
    const { code, stderr } = await service.command(["user", "create", name, ...options], password);
    expect(code).toBe(1);
    expect(stderr).toContain("exists already");
  });
});

test("names that an earlier version has folded in another way are found after a start", async () => {
  const database = await createSharedDatabase();
  const earlier = await startService({ env: { DATABASE_URL: database.url, BOOTSTRAP_PASSWORD: password } });
  try {
    for (const name of ["dora", "emil", "emilia", "fritz"]) await given.user(earlier, { username: name });
    const old = await openSql(database.url);
    const set = (username: string, email: string, email_folded: string) =>
      changeUser(old, { username }, { email, email_folded });
    await set("dora", "dora@xn--bcher-kva.example", "dora@xn--bcher-kva.example");
    await set("emil", "emil@bücher.example", "emil@bücher.example");
    await set("emilia", "emil@xn--bcher-kva.example", "emil@xn--bcher-kva.example");
    await changeUser(old, { username: "fritz" }, { username: "´fritz", username_folded: " \u0301fritz" });
    const { id } = await readUser(old, "emilia");
    await old.end();
    const later = await startService({ env: { DATABASE_URL: database.url } });
    try {
      await eventually(async () => (await logIn("dora@bücher.example", later)) === 200, 30_000, 100);
      expect(await logIn("´fritz", later)).toBe(200);
      // Two users have had one address: one is found by it, the other by name alone.
      expect(await logIn("emil@xn--bcher-kva.example", later)).toBe(200);
      await eventually(() => later.logs().some(({ users }) => Array.isArray(users)), 30_000);
      expect(later.logs().filter(({ level }) => level === "warn")).toMatchObject([
        { users: [id], msg: expect.stringContaining("now count as the same") },
      ]);
    } finally {
      await later.stop();
    }
  } finally {
    await earlier.stop();
    await database.drop();
  }
}, 120_000);
