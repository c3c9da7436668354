import { randomBytes } from "node:crypto";
import { openSql } from "./sql.ts";

/** A database's state at one moment, to which it can be put back. */
export interface Backup {
  /** Puts the database back to that state. Whoever is connected to it is cut off, and can come back. */
  restore(): Promise<void>;
  drop(): Promise<void>;
}

/** Takes a copy of a whole database, file by file, as PostgreSQL itself makes it. */
export async function takeBackup(databaseUrl: string): Promise<Backup> {
  const name = new URL(databaseUrl).pathname.slice(1);
  const kept = `backup_${randomBytes(8).toString("hex")}`;
  const run = async (...statements: string[]): Promise<void> => {
    const admin = new URL(databaseUrl);
    admin.pathname = "/postgres";
    const sql = await openSql(admin.href);
    try {
      for (const statement of statements) await sql.query(statement);
    } finally {
      await sql.end();
    }
  };
  // A database can be copied while nobody is connected to it.
  const closed = (database: string, ...statements: string[]) => [
    `alter database ${database} allow_connections false`,
    `select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = '${database}'`,
    ...statements,
  ];
  await run(
    ...closed(name, `create database ${kept} template ${name}`),
    `alter database ${name} allow_connections true`,
  );
  return {
    restore: () =>
      run(
        ...closed(name, `drop database ${name}`, `create database ${name} template ${kept}`),
        `alter database ${name} allow_connections true`,
      ),
    drop: () => run(`drop database ${kept}`),
  };
}
