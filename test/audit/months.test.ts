import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import type { TestDatabase } from "../_harness/postgres.ts";
import { startService } from "../_harness/service.ts";
import { createSharedDatabase } from "../_harness/shared-stores.ts";
import { openSql } from "../_harness/sql.ts";

// its own SQL: it is about the partitions of the trail, and that nobody can change its rows.

let database: TestDatabase;
let sql: Client;
beforeAll(async () => {
  database = await createSharedDatabase();
  await restart();
  sql = await openSql(database.url);
}, 120_000);
afterAll(async () => {
  await sql.end();
  await database.drop();
});

/** A start sees to the months. @param more environment variables */
async function restart(more: Readonly<Record<string, string>> = {}, replicas = 1): Promise<void> {
  const env = { DATABASE_URL: database.url, ISSUER: "http://localhost:8080", ...more };
  const services = await Promise.all(Array.from({ length: replicas }, () => startService({ env })));
  await Promise.all(services.map((service) => service.stop()));
}

/** The name of a month's partition. @param offset in months from this one */
function monthOf(offset: number): string {
  const now = new Date();
  const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset, 1));
  return `audit_events_${month.toISOString().slice(0, 7).replace("-", "_")}`;
}

async function partitions(): Promise<string[]> {
  const { rows } = await sql.query<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits
      where inhparent = 'audit_events'::regclass order by name`,
  );
  return rows.map(({ name }) => name);
}

/** Adds a row under a time. @param offset in months from now */
async function addRow(offset: number): Promise<string> {
  const { rows } = await sql.query<{ id: string }>(
    `insert into audit_events (occurred_at, type, actor_kind)
      values (date_trunc('month', now() at time zone 'UTC') at time zone 'UTC' + $1::int * interval '1 month',
        'store.recovered', 'service')
      returning id::text as id`,
    [offset],
  );
  return rows[0]?.id ?? "";
}

async function find(id: string): Promise<{ name: string; row: string } | null> {
  const { rows } = await sql.query<{ name: string; row: string }>(
    "select tableoid::regclass::text as name, e::text as row from audit_events e where id = $1",
    [id],
  );
  return rows[0] ?? null;
}

describe("the months of the audit trail", () => {
  test("are made ahead, however many replicas start together", async () => {
    await sql.query(`drop table ${monthOf(1)}, ${monthOf(2)}, ${monthOf(3)}`);
    await restart({}, 2);
    const expected = [0, 1, 2, 3].map(monthOf);
    expect(await partitions()).toEqual([...expected, "audit_events_default"]);
  }, 60_000);

  test("are dropped when they ended longer ago than AUDIT_RETENTION, and no others", async () => {
    const kept = [-3, -2, -1].map(monthOf);
    for (const offset of [-20, -14, -3, -2, -1]) {
      const { rowCount } = await sql.query(
        "select add_audit_partition((date_trunc('month', now() at time zone 'UTC') + $1::int * interval '1 month')::date)",
        [offset],
      );
      expect(rowCount).toBe(1);
    }
    const [old, recent] = [await addRow(-14), await addRow(-3)];
    await restart({ AUDIT_RETENTION: "forever" });
    expect(await partitions()).toContain(monthOf(-20));
    await restart({ AUDIT_RETENTION: "200d" });
    const ahead = [0, 1, 2, 3].map(monthOf);
    expect(await partitions()).toEqual([...kept, ...ahead, "audit_events_default"]);
    expect(await find(old)).toBeNull();
    expect(await find(recent)).toMatchObject({ name: monthOf(-3) });
  }, 60_000);

  test("take in, unchanged, the rows that were written when there was no month for them", async () => {
    const id = await addRow(30);
    const before = await find(id);
    expect(before?.name).toBe("audit_events_default");
    await restart();
    expect(await find(id)).toEqual({ name: monthOf(30), row: before?.row });
    await expect(sql.query("delete from audit_events where id = $1", [id])).rejects.toThrow("append-only");
  }, 60_000);
});

describe("a row of the audit trail", () => {
  test.each([
    ["changed", (table: string) => `update ${table} set reason = 'other'`],
    ["deleted", (table: string) => `delete from ${table}`],
  ])("cannot be %s, by way of its month neither", async (_what, statement) => {
    const id = await addRow(0);
    const before = await find(id);
    for (const table of ["audit_events", monthOf(0)]) {
      await expect(sql.query(statement(table))).rejects.toThrow("audit_events is append-only");
    }
    expect(await find(id)).toEqual(before);
  });

  test("cannot be truncated away", async () => {
    await expect(sql.query("truncate audit_events")).rejects.toThrow("audit_events is append-only");
  });
});
