import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { testSecretKey } from "../_harness/service.ts";
import { createSharedDatabase } from "../_harness/shared-stores.ts";
import type { TestDatabase } from "../_harness/postgres.ts";
import { endLeftProcesses, fetchJwks, login, startProcess, type StartedProcess } from "./start-process.ts";

let folder: string;
let database: TestDatabase;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "countersign-replicas-"));
  database = await createSharedDatabase();
});
afterAll(async () => {
  await endLeftProcesses();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

function startReplica(dataDir: string): Promise<StartedProcess> {
  return startProcess({
    env: {
      DATABASE_URL: database.url,
      DATA_DIR: join(folder, dataDir),
      SECRET_KEY: testSecretKey,
      ISSUER: "http://localhost",
      ARGON2_MEMORY_KIB: "64",
      ARGON2_ITERATIONS: "1",
    },
  });
}

// Two share their DATA_DIR, one has its own: a volume for all, or one each, are both usual.
test("replicas that start together on an empty database make one first user and one signing key", async () => {
  const replicas = await Promise.all(["shared", "shared", "own"].map(startReplica));
  await Promise.all(replicas.map((replica) => replica.ready()));
  const made = replicas.filter((replica) => replica.output().includes('"the first user was made"'));
  expect(made).toHaveLength(1);
  const sets = await Promise.all(replicas.map(({ url }) => fetchJwks(url)));
  expect(sets[0]).toEqual({ keys: [expect.objectContaining({ alg: "ES256" })] });
  expect(sets[1]).toEqual(sets[0]);
  expect(sets[2]).toEqual(sets[0]);

  const files = (await readdir(folder, { recursive: true })).filter((path) =>
    path.includes("bootstrap-password"),
  );
  expect(files).toHaveLength(1);
  const password = (await readFile(join(folder, files[0] ?? ""), "utf8")).trimEnd();
  for (const { url } of replicas) expect((await login(url, "admin", password)).status).toBe(200);
  for (const replica of replicas) expect(await replica.end("SIGTERM")).toBe(0);
}, 60_000);
