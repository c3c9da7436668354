import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { api } from "../_harness/api.ts";
import { longTimeoutMs, printFigures, sizeOf } from "../_harness/figures.ts";
import { readSigningKeys } from "../_harness/rows/signing-keys.ts";
import { countUsers } from "../_harness/rows/users.ts";
import { testSecretKey } from "../_harness/service.ts";
import { createSharedDatabase } from "../_harness/shared-stores.ts";
import { withSql } from "../_harness/sql.ts";
import { endLeftProcesses, fetchJwks, startProcess, type StartedProcess } from "./start-process.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "countersign-replicas-"));
});
afterAll(async () => {
  await endLeftProcesses();
  await rm(folder, { recursive: true, force: true });
});

const rounds = sizeOf(2, 20);

function startReplica(databaseUrl: string, dataDir: string): Promise<StartedProcess> {
  return startProcess({
    env: {
      DATABASE_URL: databaseUrl,
      DATA_DIR: dataDir,
      SECRET_KEY: testSecretKey,
      ISSUER: "http://localhost",
      ARGON2_MEMORY_KIB: "64",
      ARGON2_ITERATIONS: "1",
    },
  });
}

function countRows(databaseUrl: string): Promise<unknown> {
  return withSql(databaseUrl, async (sql) => ({
    users: await countUsers(sql),
    keys: (await readSigningKeys(sql)).length,
  }));
}

/** Two share their DATA_DIR, one has its own: a volume for all, or one each, are both usual. */
async function expectOneOfEach(databaseUrl: string, home: string): Promise<void> {
  const replicas = await Promise.all(
    ["shared", "shared", "own"].map((dataDir) => startReplica(databaseUrl, join(home, dataDir))),
  );
  await Promise.all(replicas.map((replica) => replica.ready()));
  const made = replicas.filter((replica) => replica.output().includes('"the first user was made"'));
  expect(made).toHaveLength(1);
  expect(await countRows(databaseUrl)).toEqual({ users: 1, keys: 1 });
  const sets = await Promise.all(replicas.map(({ url }) => fetchJwks(url)));
  expect(sets[0]).toEqual({ keys: [expect.objectContaining({ alg: "ES256" })] });
  expect(sets[1]).toEqual(sets[0]);
  expect(sets[2]).toEqual(sets[0]);

  const files = (await readdir(home, { recursive: true })).filter((path) =>
    path.includes("bootstrap-password"),
  );
  expect(files).toHaveLength(1);
  const password = (await readFile(join(home, files[0] ?? ""), "utf8")).trimEnd();
  for (const { url } of replicas) {
    expect((await api(url).rest.login({ username: "admin", password })).status).toBe(200);
  }
  for (const replica of replicas) expect(await replica.end("SIGTERM")).toBe(0);
}

test(
  "replicas that start together on an empty database make one first user and one signing key",
  async () => {
    for (let round = 0; round < rounds; round += 1) {
      const database = await createSharedDatabase();
      await expectOneOfEach(database.url, join(folder, String(round)));
      await database.drop();
    }
    printFigures("replicas started together", {
      rounds,
      replicas: 3,
      "first users": rounds,
      "key sets": rounds,
    });
  },
  longTimeoutMs,
);
