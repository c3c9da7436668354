// its own SQL: it is about a migration of rows.
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { foldName } from "../../src/lib/fold.ts";
import { parseDatabaseUrl } from "../../src/postgres/connection-string.ts";
import { migrate } from "../../src/postgres/migrate.ts";
import { createPool } from "../../src/postgres/pool.ts";
import { createTestDatabase, startTestCluster } from "../_harness/postgres.ts";

const migrations = join(import.meta.dirname, "../../src/postgres/migrations");
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

test("a name with a capital sharp s is folded anew, unless that is another user's", async () => {
  const cluster = await startTestCluster();
  const database = await createTestDatabase(cluster);
  const target = parseDatabaseUrl(database.url);
  const db = createPool({ target, statementTimeoutMs: 5_000, connectTimeoutMs: 5_000, log });
  const folder = await mkdtemp(join(tmpdir(), "countersign-migrations-"));
  try {
    const files = (await readdir(migrations)).toSorted();
    const isLater = (file: string) => file >= "0013";
    for (const file of files) if (!isLater(file)) await cp(join(migrations, file), join(folder, file));
    await migrate(db, { folder, lockTimeoutMs: 10_000, log });
    // As the versions before the migration folded them.
    const before = [
      ["usr_1", "STRAẞE", "straße"],
      ["usr_2", "Groß", "gross"],
      ["usr_3", "GROẞ", "groß"],
      ["usr_4", "Maẞ", "maß"],
    ];
    for (const [id, username, folded] of before) {
      await db.query(
        {
          name: "add",
          text: `insert into users (id, username, username_folded, email, email_folded, password_hash)
            values ($1, $2, $3, $2 || '@a.example', $3 || '@a.example', '')`,
        },
        [id, username, folded],
      );
    }
    for (const file of files) if (isLater(file)) await cp(join(migrations, file), join(folder, file));
    await migrate(db, { folder, lockTimeoutMs: 10_000, log });
    const rows = await db.query<{ id: string; name: string; address: string }>({
      name: "read",
      text: "select id, username_folded as name, email_folded as address from users order by id",
    });
    expect(rows).toEqual([
      { id: "usr_1", name: foldName("STRAẞE"), address: "strasse@a.example" },
      { id: "usr_2", name: "gross", address: "gross@a.example" },
      { id: "usr_3", name: "groß", address: "groß@a.example" },
      { id: "usr_4", name: "mass", address: "mass@a.example" },
    ]);
  } finally {
    await db.end();
    await database.drop();
    await cluster.stop();
    await rm(folder, { recursive: true });
  }
});
