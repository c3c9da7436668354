import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { createAuditCounts } from "../../src/domain/audit/audit-counts.ts";
import { type AuditCountStore, createAuditCountStore } from "../../src/domain/audit/audit-count-store.ts";
import type { AuditEvent } from "../../src/domain/audit/audit-event.ts";
import { AppError } from "../../src/errors/app-error.ts";
import { parseDatabaseUrl } from "../../src/postgres/connection-string.ts";
import { migrate } from "../../src/postgres/migrate.ts";
import { createPool, type Database } from "../../src/postgres/pool.ts";
import { migrationsFolder } from "../../src/app/open-stores.ts";
import type { TestDatabase } from "../_harness/postgres.ts";
import { createSharedDatabase } from "../_harness/shared-stores.ts";
import { openSql } from "../_harness/sql.ts";
import { listenTo } from "../domain/listen-to.ts";

// its own SQL: it is about the table of counts, and no service runs.

let database: TestDatabase;
let db: Database;
let sql: Client;
let store: AuditCountStore;
beforeAll(async () => {
  database = await createSharedDatabase();
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const target = parseDatabaseUrl(database.url);
  db = createPool({ target, statementTimeoutMs: 2_000, connectTimeoutMs: 20_000, log });
  await migrate(db, { folder: migrationsFolder, lockTimeoutMs: 20_000, log });
  sql = await openSql(database.url);
  store = createAuditCountStore(db);
}, 60_000);
afterAll(async () => {
  await sql.end();
  await db.end();
  await database.drop();
});
beforeEach(async () => {
  await sql.query("delete from audit_counts");
});

const throttled: AuditEvent = {
  type: "login.throttled",
  actor: { kind: "anonymous" },
  origin: { requestId: "first", clientAddress: "192.0.2.1", userAgent: "" },
};

/** All minutes together: a test can run into the next one. */
async function countsIn(table: "audit_counts" | "audit_events"): Promise<{ rows: number; events: number }> {
  const { rows } = await sql.query<{ rows: number; events: number }>(
    `select count(*)::int as rows, coalesce(sum(count), 0)::int as events from ${table}
      where type = 'login.throttled'`,
  );
  return rows[0] ?? { rows: -1, events: -1 };
}

describe("counted events", () => {
  test("are added up over all instances, by key", async () => {
    const instances = [createAuditCounts(store), createAuditCounts(store), createAuditCounts(store)];
    for (const counts of instances) {
      for (let number = 0; number < 300; number += 1) counts.add(throttled, `key ${number % 3}`);
    }
    await Promise.all(instances.map((counts) => counts.flush()));
    const { rows } = await sql.query<{ count: string }>(
      "select sum(count)::text as count from audit_counts group by key",
    );
    expect(rows).toEqual([{ count: "300" }, { count: "300" }, { count: "300" }]);
  });

  test("of however many keys take bounded memory and rows, and none goes uncounted", async () => {
    const counts = createAuditCounts(store);
    for (let number = 0; number < 20_000; number += 1) counts.add(throttled, `key ${number}`);
    await counts.flush();
    expect(await countsIn("audit_counts")).toEqual({ rows: 501, events: 20_000 });
    const { rows } = await sql.query(
      "select count, client_address from audit_counts where reason = 'other_keys'",
    );
    expect(rows).toEqual([{ count: 19_500, client_address: null }]);
  });

  test("are kept while they cannot be written, and written then", async () => {
    const counts = createAuditCounts(store);
    counts.add(throttled, "key");
    await sql.query("begin");
    await sql.query("lock table audit_counts in share mode");
    await expect(counts.flush()).rejects.toMatchObject({ reason: "unavailable" });
    counts.add(throttled, "key");
    await sql.query("rollback");
    await counts.flush();
    expect(await countsIn("audit_counts")).toEqual({ rows: 1, events: 2 });
  });

  test("of one that the database refuses for its data are dropped and told, and all others are written", async () => {
    const dropped: (readonly [string, number, unknown])[] = [];
    const counts = createAuditCounts(
      store,
      listenTo({
        "audit.dropped": ({ event, count, error }) =>
          dropped.push([event.origin?.clientAddress ?? "", count, (error as { code?: unknown }).code]),
      }),
    );
    for (let number = 0; number < 50; number += 1) counts.add(throttled, `key ${number}`);
    const bad = (clientAddress: string): AuditEvent => ({
      ...throttled,
      origin: { requestId: "bad", clientAddress, userAgent: "" },
    });
    for (const key of ["one bad key", "one bad key", "other bad key"]) counts.add(bad("fe80::1%eth0"), key);
    counts.add(bad("no address"), "bad as well");
    for (let number = 50; number < 99; number += 1) counts.add(throttled, `key ${number}`);
    await counts.flush();
    expect(await countsIn("audit_counts")).toEqual({ rows: 99, events: 99 });
    expect(dropped).toEqual([
      ["fe80::1%eth0", 2, "22P02"],
      ["fe80::1%eth0", 1, "22P02"],
      ["no address", 1, "22P02"],
    ]);
    // They are not tried again.
    await counts.flush();
    expect(dropped.length).toBe(3);
  });

  test("are counted once, where the database goes between two parts of a batch", async () => {
    let writes = 0;
    const counts = createAuditCounts({
      async add(batch) {
        // The first is the whole batch, which is refused; then come its halves, of which the second finds nobody.
        if (++writes === 3) throw new AppError("unavailable", "The user store cannot be reached.");
        await store.add(batch);
      },
    });
    counts.add({ ...throttled, origin: { requestId: "", clientAddress: "none", userAgent: "" } }, "bad");
    // The bad one is alone in the first half.
    counts.add(throttled, "key");
    counts.add(throttled, "key");
    await expect(counts.flush()).rejects.toMatchObject({ reason: "unavailable" });
    await counts.flush();
    expect(await countsIn("audit_counts")).toEqual({ rows: 1, events: 2 });
  });

  test("are moved to the trail when their minute is over, each once, by several instances at once", async () => {
    const counts = createAuditCounts(store);
    for (let number = 0; number < 400; number += 1) counts.add(throttled, `key ${number}`);
    await counts.flush();
    expect(await store.settle(1_000)).toBe(0);
    await sql.query("update audit_counts set minute = minute - interval '2 minutes'");
    const moved = await Promise.all([store.settle(150), store.settle(150), store.settle(150)]);
    expect(moved.reduce((sum, count) => sum + count, await store.settle(1_000))).toBe(400);
    expect(await countsIn("audit_counts")).toEqual({ rows: 0, events: 0 });
    expect(await countsIn("audit_events")).toEqual({ rows: 400, events: 400 });
  });
});
