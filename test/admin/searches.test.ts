import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import type { UserPosition, UserSearch } from "../../src/domain/user/user-search.ts";
import { createUserSearchStore, type UserSearchStore } from "../../src/domain/user/user-search-store.ts";
import type { Database } from "../../src/postgres/pool.ts";
import { readUserSearch } from "../../src/api/users/read-user-search.ts";
import { openSearchDatabase, type SearchDatabase } from "../_harness/search-database.ts";

// Lists and searches of many users read what they answer, by indexes.
// its own SQL: it fills the table, and reads what PostgreSQL counts.

const rowCount = 100_000;
const pageSize = 50;
/** PostgreSQL may plan for all parameters at once from the sixth time on. */
const times = 8;

let database: SearchDatabase;
let db: Database;
let sql: Client;
let store: UserSearchStore;
beforeAll(async () => {
  database = await openSearchDatabase();
  ({ db, sql } = database);
  await sql.query(`insert into users (id, username, username_folded, email, email_folded, password_hash, status, roles,
      created_at)
    select 'usr_' || n, 'name' || n, 'name' || n, 'mail' || n || '@example.org', 'mail' || n || '@example.org', '',
      case when n % 10000 = 5 then 'suspended' else 'active' end,
      case when n % 10000 = 7 then '{rare}'::text[] else '{common}' end,
      timestamptz '2026-01-01Z' + n * interval '1 minute'
    from generate_series(1, ${rowCount}) n`);
  await sql.query(`insert into last_logins (user_id, at)
    select 'usr_' || n, timestamptz '2026-06-01Z' + n * interval '1 minute'
    from generate_series(2, ${rowCount}, 2) n`);
  await sql.query("vacuum analyze users, last_logins");
  store = createUserSearchStore(db);
}, 180_000);
afterAll(() => database.close());

/** Searches, and counts the rows that were read for it: of users, and of their last logins. */
async function searchCounted(search: UserSearch, after: UserPosition | null, limit: number) {
  const countRead = () =>
    Promise.all([database.rowsRead("users"), database.rowsRead("last_logins")] as const);
  const [users, logins] = await countRead();
  const found = await store.search(search, after, limit);
  const [usersAfter, loginsAfter] = await countRead();
  return { found, users: usersAfter - users, logins: loginsAfter - logins };
}

const asked = (filter: string, orderBy = ""): UserSearch => readUserSearch({ filter, orderBy });

describe("a search reads few more rows than it answers:", () => {
  test.each<[string, string, number]>([
    ["", "", pageSize],
    ["", "created_at", pageSize],
    ["", "username", pageSize],
    ["", "username desc", pageSize],
    ["", "email", pageSize],
    ["", "last_login_at desc", pageSize],
    ["status = suspended", "", 10],
    ["status = active", "", pageSize],
    ["status = pending", "", 0],
    ["roles:rare", "", 10],
    ["roles:common", "", pageSize],
    ["roles:nobody", "username", 0],
    ["roles:rare AND status = active", "username", 10],
    ['username = "name777*"', "", pageSize],
    ["username = NAME777", "", 1],
    ['username = "nobody*"', "", 0],
    ['email = "mail99999*"', "", 1],
    ['created_at >= "2026-03-01T00:00:00Z" AND created_at < "2026-03-01T00:10:00Z"', "", 10],
    ['last_login_at < "2026-06-01T00:10:00Z"', "last_login_at", 4],
  ])("%s, by %s", async (filter, orderBy, answered) => {
    const search = asked(filter, orderBy);
    for (let time = 0; time < times; time += 1) {
      const { found, users, logins } = await searchCounted(search, null, pageSize);
      expect(found).toHaveLength(answered);
      expect(users).toBeLessThanOrEqual(2 * pageSize + 20);
      expect(logins).toBeLessThanOrEqual(2 * pageSize + 20);
    }
  });
});

test.each(["", "username", "email desc", "last_login_at"])(
  "pages by %s lead through all, each user once, the last as cheap as the first, while users are added",
  async (orderBy) => {
    const search = asked(
      'created_at >= "2026-01-01T00:00:00Z"'.slice(0, orderBy === "" ? undefined : 0),
      orderBy,
    );
    const seen = new Set<string>();
    let after: UserPosition | null = null;
    let pages = 0;
    for (;;) {
      const { found, users, logins } = await searchCounted(search, after, 1000);
      expect(users).toBeLessThanOrEqual(1100);
      expect(logins).toBeLessThanOrEqual(2100);
      const before = seen.size;
      for (const { found: one } of found) seen.add(one.user.id);
      expect(seen.size).toBe(before + found.length);
      after = found.at(-1)?.position ?? null;
      pages += 1;
      if (pages === 3) {
        const name = `added-${orderBy.replace(" ", "-")}`;
        await sql.query(
          `insert into users (id, username, username_folded, password_hash) values ('x' || $1, $1, $1, '')`,
          [name],
        );
      }
      if (found.length < 1000) break;
    }
    const expected = orderBy === "last_login_at" ? rowCount / 2 : rowCount;
    expect(seen.size).toBeGreaterThanOrEqual(expected);
  },
  300_000,
);

describe("a filter is refused, with what is wrong and without a text of it:", () => {
  test.each([
    ["username", "filter"],
    ["username = ", "filter"],
    ['username = "a', "filter"],
    ["username = a OR email = b", "filter"],
    ["username = a AND", "filter"],
    ["username = a email = b", "filter"],
    ["username = a AND username = b", "filter"],
    ["username = a AND email = b", "filter"],
    ["username >= a", "filter"],
    ["status = asleep", "filter"],
    ["status : active", "filter"],
    ["roles = admin", "filter"],
    ["created_at = 2026", "filter"],
    ['created_at >= "2026-02-30T00:00:00Z"', "filter"],
    ['created_at >= "0000-01-01T00:00:00Z"', "filter"],
    ["password_hash = a", "filter"],
    ["username = \u0000", "filter"],
    [`username = ${"a".repeat(257)}`, "filter"],
  ])("%s", (filter, field) => {
    let thrown: unknown;
    try {
      asked(filter);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ reason: "validation_failed", fields: [{ field, code: "bad_form" }] });
  });

  test("a prefix in another order than its own", () => {
    expect(() => asked('username = "a*"', "created_at")).toThrow("A field is not valid.");
    expect(() => asked("", "password_hash")).toThrow("A field is not valid.");
  });
});
