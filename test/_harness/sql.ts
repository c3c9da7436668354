import { Client, type Pool } from "pg";

/** A connection of the test's own, or several. */
export type Sql = Pick<Client, "query"> | Pick<Pool, "query">;

/**
 * Opens a connection of the test's own to a database, past the service. Whoever opens it ends it; `withSql`
 * does so by itself.
 */
export async function openSql(databaseUrl: string): Promise<Client> {
  const client = new Client({ connectionString: databaseUrl.replace("?sslmode=disable", ""), ssl: false });
  // Its server may be stopped under it. That fails the query under way, and the next, but no other test.
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

/** Runs with a connection of the test's own, and ends it however that goes. */
export async function withSql<T>(databaseUrl: string, run: (sql: Client) => Promise<T>): Promise<T> {
  const sql = await openSql(databaseUrl);
  try {
    return await run(sql);
  } finally {
    await sql.end();
  }
}
