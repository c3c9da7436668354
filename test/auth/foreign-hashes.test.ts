import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { importHash } from "../../src/domain/password/stored-formats.ts";
import { api } from "../_harness/api.ts";
import { eventually } from "../_harness/eventually.ts";
import { foreignHashes } from "../_harness/foreign-hashes.ts";
import { insertUsersWithHash, readUser } from "../_harness/rows/users.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

// its own SQL: it fills the table with ids in an order that the service never makes.

let service: TestService;
let sql: Client;
beforeAll(async () => {
  service = await startService();
  sql = await openSql(service.databaseUrl);
});
afterAll(async () => {
  await sql.end();
  await service.stop();
});

const nameOf = (index: number): string => `user-${index}`;

/** All at once, by the command. */
async function importAll(): Promise<void> {
  const lines = foreignHashes.map(({ text }, index) =>
    JSON.stringify({ username: nameOf(index), password_hash: text }),
  );
  const { stdout } = await service.command(["user", "import", "-"], lines.join("\n"));
  expect(stdout).toBe(`${foreignHashes.length} created, 0 there already, 0 refused\n`);
}

async function createUserWith(name: string, text: string): Promise<void> {
  const taken = importHash(text);
  if ("problem" in taken) throw new Error(taken.problem);
  await insertUsersWithHash(sql, [name], taken.phc);
}

const storedOf = async (name: string): Promise<string> => (await readUser(sql, name)).passwordHash;

const logInAs = async (username: string, password: string): Promise<number> =>
  (await api(service).rest.login({ username, password })).status;

beforeAll(importAll);

describe("a user whose hash another program has made signs in, and has an Argon2id hash of ours afterwards:", () => {
  test.each(foreignHashes.map((each, index) => [each.family, each.madeBy, nameOf(index), each] as const))(
    "%s by %s",
    async (_family, _madeBy, name, { password }) => {
      const ours = (await storedOf(service.admin.username)).split("$").slice(0, -2).join("$");
      const before = await storedOf(name);
      expect(await logInAs(name, password)).toBe(200);
      await eventually(async () => (await storedOf(name)) !== before);
      expect((await storedOf(name)).split("$").slice(0, -2).join("$")).toBe(ours);
      expect(await logInAs(name, password)).toBe(200);
    },
  );
});

test("a wrong password is refused", async () => {
  const [{ text } = { text: "" }] = foreignHashes.filter(({ family }) => family === "ssha512");
  await createUserWith("somebody", text);
  expect(await logInAs("somebody", "a wrong password")).toBe(401);
  expect(await storedOf("somebody")).toMatch(/^\$ssha512\$/);
});

test("which formats are in use is counted over all users, whatever the order of their ids", async () => {
  const { createUserStore } = await import("../../src/domain/user/user-store.ts");
  await sql.query(
    `insert into users (id, username, username_folded, password_hash)
     select 'a' || n, 'many-' || n, 'many-' || n, '$2b$10$' || repeat('a', 53) from generate_series(1, 120000) as n`,
  );
  await sql.query("analyze users");
  const db = {
    query: async <Row>(statement: { text: string }) => (await sql.query(statement.text)).rows as Row[],
    lookUp: () => Promise.resolve(null),
  };
  const counts = await createUserStore(db).countHashFormats();
  const bcrypt = counts.find(({ format }) => format === "$2b$10")?.count ?? 0;
  expect(bcrypt).toBeGreaterThan(90_000);
  expect(bcrypt).toBeLessThan(115_000);
  await sql.query("delete from users where id like 'a%'");
});
