import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import type { AuditFilter } from "../../src/domain/audit/audit-trail.ts";
import { type AuditTrailStore, createAuditTrailStore } from "../../src/domain/audit/audit-trail-store.ts";
import type { Database } from "../../src/postgres/pool.ts";
import { openSearchDatabase, type SearchDatabase } from "../_harness/search-database.ts";

// its own SQL: it is about what a search reads of a large table.

const rowCount = 60_000;
/** PostgreSQL may plan for all parameters at once from the sixth time on. */
const times = 8;

let database: SearchDatabase;
let db: Database;
let sql: Client;
let store: AuditTrailStore;
beforeAll(async () => {
  database = await openSearchDatabase();
  ({ db, sql } = database);
  // Half a year around now: some months have a partition, the others are in the default one.
  await sql.query(`insert into audit_events (occurred_at, type, actor_kind, actor_id, user_id, name_hmac, client_address)
    select now() + (n - ${rowCount / 2}) * interval '4 minutes',
      case when n % 6000 = 5 then 'refresh.reused' when n % 3 = 0 then 'login.failed' else 'login.succeeded' end,
      'user', 'usr_' || n % 1000, 'usr_' || n % 1000, case when n % 3 = 0 then 'hmac-' || n % 3000 end,
      (case when n % 6000 = 7 then '203.0.113.9' else '10.' || n % 7 || '.' || n % 250 || '.' || n % 199 end)::inet
    from generate_series(1, ${rowCount}) n`);
  await sql.query("vacuum analyze audit_events");
  store = createAuditTrailStore(db);
}, 120_000);
afterAll(() => database.close());

/** How many rows of the trail have been read so far. */
const rowsRead = () => database.rowsRead("audit_events%");

const searches: [string, AuditFilter, number][] = [
  ["an address", { clientAddress: "203.0.113.9" }, 10],
  ["a range of addresses", { clientAddress: "203.0.113.0/24" }, 10],
  ["an address that did nothing", { clientAddress: "198.51.100.1" }, 0],
  ["a type that is rare", { types: ["refresh.reused"] }, 10],
  ["a type that is common", { types: ["login.succeeded"] }, 100],
  ["types, rare and common", { types: ["refresh.reused", "login.failed"] }, 100],
  ["a type that never happened", { types: ["key.dropped"] }, 0],
  ["an address and a type", { clientAddress: "203.0.113.9", types: ["login.succeeded"] }, 10],
  ["a name that no user has", { nameHmac: "hmac-3" }, 20],
  ["a name that was never tried", { nameHmac: "nobody" }, 0],
  ["a user", { userId: "usr_7" }, 60],
];

describe("a search of the audit trail", () => {
  test.each(searches)(
    "by %s reads no more than what it may answer, however often it is asked",
    async (_, filter, count) => {
      const before = await rowsRead();
      for (let time = 0; time < times; time += 1) {
        expect(await store.list(filter, null, 100)).toHaveLength(count);
      }
      expect(((await rowsRead()) - before) / times).toBeLessThan(1_500);
    },
  );
});
