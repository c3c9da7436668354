import type { Client } from "pg";
import { migrationsFolder } from "../../src/app/open-stores.ts";
import { parseDatabaseUrl } from "../../src/postgres/connection-string.ts";
import { migrate } from "../../src/postgres/migrate.ts";
import { createPool, type Database } from "../../src/postgres/pool.ts";
import { createSharedDatabase } from "./shared-stores.ts";
import { openSql } from "./sql.ts";

/** A database of its own, to fill a table and to count what a search reads of it. */
export interface SearchDatabase {
  /** One connection, as the service has them. */
  readonly db: Database;
  readonly sql: Client;
  /** How many rows have been read so far, by indexes or without. @param tables a pattern of LIKE */
  rowsRead(tables: string): Promise<number>;
  close(): Promise<void>;
}

/** Makes one with all migrations. */
export async function openSearchDatabase(): Promise<SearchDatabase> {
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const database = await createSharedDatabase();
  const timeouts = { statementTimeoutMs: 60_000, connectTimeoutMs: 10_000 };
  const db = createPool({ target: parseDatabaseUrl(database.url), max: 1, ...timeouts, log });
  await migrate(db, { folder: migrationsFolder, lockTimeoutMs: 10_000, log });
  const sql = await openSql(database.url);
  return {
    db,
    sql,
    async rowsRead(tables) {
      // The pool's one connection tells what it has counted when it is idle again.
      await db.query({ name: "test.flush", text: "select pg_stat_force_next_flush()" });
      await db.query({ name: "test.idle", text: "select 1" });
      const { rows } = await sql.query<{ count: string }>(
        `select sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) as count from pg_stat_all_tables
          where relname like $1`,
        [tables],
      );
      return Number(rows[0]?.count);
    },
    async close() {
      await sql.end();
      await db.end();
      await database.drop();
    },
  };
}
