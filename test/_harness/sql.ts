import { Client } from "pg";

/** Opens a connection of the test's own to a database, past the service. */
export async function openSql(databaseUrl: string): Promise<Client> {
  const client = new Client({ connectionString: databaseUrl.replace("?sslmode=disable", ""), ssl: false });
  await client.connect();
  return client;
}
