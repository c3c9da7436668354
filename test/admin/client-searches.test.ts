import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { readClientSearch } from "../../src/api/clients/read-client-search.ts";
import {
  type ClientSearchStore,
  createClientSearchStore,
} from "../../src/domain/client/client-search-store.ts";
import { openSearchDatabase, type SearchDatabase } from "../_harness/search-database.ts";

// Lists and searches of many clients read what they answer, by indexes.
// its own SQL: it fills the table, and reads what PostgreSQL counts.

const pageSize = 50;
/** PostgreSQL may plan for all parameters at once from the sixth time on. */
const times = 8;

let database: SearchDatabase;
let store: ClientSearchStore;
beforeAll(async () => {
  database = await openSearchDatabase();
  await database.sql.query(`insert into clients (id, name, first_party, grants, scopes, can_introspect, created_at)
    select 'app' || n, 'App', false, '{refresh_token}',
      case when n % 1000 = 7 then '{rare}'::text[] else '{common}' end, false,
      timestamptz '2026-01-01Z' + n * interval '1 minute'
    from generate_series(1, 10000) n`);
  await database.sql.query("vacuum analyze clients");
  store = createClientSearchStore(database.db);
}, 180_000);
afterAll(() => database.close());

test.each<[string, string, number]>([
  ["", "", pageSize],
  ["", "client_id desc", pageSize],
  ["", "created_at", pageSize],
  ["", "created_at desc", pageSize],
  ["scopes:rare", "", 10],
  ["scopes:common", "created_at", pageSize],
  ["scopes:nothing", "", 0],
  ['client_id = "app777*"', "", 11],
  ["client_id = app777", "", 1],
  ['created_at >= "2026-01-02T00:00:00Z" AND created_at < "2026-01-02T00:10:00Z"', "", 10],
])("a search reads few more rows than it answers: %s, by %s", async (filter, orderBy, answered) => {
  const search = readClientSearch({ filter, orderBy });
  for (let time = 0; time < times; time += 1) {
    const before = await database.rowsRead("clients");
    const found = await store.search(search, null, pageSize);
    expect(found).toHaveLength(answered);
    expect((await database.rowsRead("clients")) - before).toBeLessThanOrEqual(2 * pageSize + 20);
  }
});

test("the last page costs what the first one does", async () => {
  const search = readClientSearch({ filter: "", orderBy: "" });
  const before = await database.rowsRead("clients");
  const found = await store.search(search, ["app9990", "app9990"], pageSize);
  expect(found.map(({ found: { id } }) => id)).toEqual(
    Array.from({ length: 9 }, (_, index) => `app${9991 + index}`),
  );
  expect((await database.rowsRead("clients")) - before).toBeLessThanOrEqual(pageSize);
});
