/**
 * A service in small, for tests that kill one: starts the embedded PostgreSQL in the folder named as
 * its argument, counts its starts in a table, says so on standard output, and stays until it is ended.
 */
import { startEmbeddedPostgres } from "../../src/postgres/embedded/start-embedded-postgres.ts";
import { createPool } from "../../src/postgres/pool.ts";

const log = {
  info: () => undefined,
  warn: (_fields: object, message: string) => process.stderr.write(`${message}\n`),
  error: (_fields: object, message: string) => process.stderr.write(`${message}\n`),
};
const postgres = await startEmbeddedPostgres({ dataDir: process.argv[2] ?? "", log });
const db = createPool({ target: postgres.connection, statementTimeoutMs: 5000, connectTimeoutMs: 5000, log });
await db.transaction((transaction) =>
  transaction.execute(
    "CREATE TABLE IF NOT EXISTS starts (pid int); INSERT INTO starts VALUES (pg_backend_pid())",
  ),
);
const [row] = await db.query<{ starts: number }>({
  name: "count",
  text: "SELECT count(*)::int AS starts FROM starts",
});
process.once("SIGTERM", () => {
  void db
    .end()
    .then(() => postgres.stop())
    .then(() => process.exit(0));
});
process.stdout.write(
  `${JSON.stringify({ starts: row?.starts, postgres: postgres.pid, folder: postgres.folder })}\n`,
);
// Something must keep the process alive whatever the pool does with idle connections.
setInterval(() => undefined, 60_000);
