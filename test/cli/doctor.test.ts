import { once } from "node:events";
import { stat } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { availableParallelism, loadavg } from "node:os";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { checkDatabase } from "../../src/cli/doctor/check-database.ts";
import { freePort } from "../_harness/ports.ts";
import { runCommand, startService, type TestService, testSecretKey } from "../_harness/service.ts";
import { createSharedDatabase } from "../_harness/shared-stores.ts";
import { openSql } from "../_harness/sql.ts";
import { about, baseEnv, diagnose, look } from "./diagnose.ts";

describe("the doctor, before the first start", () => {
  test("finds all well, and leaves nothing behind", async () => {
    const env = await baseEnv();
    const { code, findings } = await diagnose(env);
    expect(findings.filter(({ status }) => status === "fail")).toEqual([]);
    expect(code).toBe(0);
    expect(about(findings, "embedded PostgreSQL")).toMatchObject([
      { status: "ok", found: expect.stringMatching(/^version \d+\.\d+ runs here; there is no database yet/) },
    ]);
    expect(about(findings, "DATA_DIR")[0]?.found).toContain("the first start makes it");
    await expect(stat(env["DATA_DIR"] ?? "")).rejects.toThrow("ENOENT");
  });

  test("prints lines that a person can read, each failure with what to do", async () => {
    const env = { ...(await baseEnv()), PORT: "80abc" };
    const { code, stdout, stderr } = await runCommand(["doctor"], env);
    expect(stdout).toMatch(/^ok {4}Node\.js {2,}version \d+/m);
    expect(stdout).toMatch(
      /^fail {2}configuration {2,}PORT must be a whole number from 0 to 65535\n +-> see docs\/config\.md$/m,
    );
    expect(stdout).toMatch(/^warn {2}ports {2,}not checked, since PORT cannot be read$/m);
    expect(stdout).toMatch(/\n\d+ ok, \d+ to look at, 1 failed\n$/);
    expect(stderr).toBe("");
    expect(code).toBe(1);
  });

  test("tells every problem of the configuration at once, no secret, and looks at the rest", async () => {
    const { findings, stdout, code } = await diagnose({
      DATABASE_URL: "postgres://anna:hunter2/x",
      SECRET_KEY: "hunter2",
      LOG_LEVEL: "hunter2",
    });
    expect(code).toBe(1);
    const problems = about(findings, "configuration").map(({ found }) => found);
    expect(problems.map((problem) => problem.split(" ")[0])).toEqual([
      "SECRET_KEY",
      "LOG_LEVEL",
      "ISSUER",
      "DATABASE_URL",
    ]);
    expect(about(findings, "database")).toMatchObject([{ status: "warn" }]);
    expect(about(findings, "PORT")).toMatchObject([{ status: "ok" }]);
    expect(stdout).not.toContain("hunter2");
  });
});

describe("the doctor, beside a running service", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.stop());
  const given = (): Record<string, string> => ({
    DATABASE_URL: service.databaseUrl,
    SECRET_KEY: testSecretKey,
    ISSUER: "http://localhost",
  });

  test("finds the database, its schema, its clock and its keys well, and the ports held by a Countersign", async () => {
    const { findings, code, stdout } = await diagnose({
      ...given(),
      PORT: String(service.port),
      OPS_PORT: new URL(service.opsUrl).port,
    });
    expect(code).toBe(0);
    const found = (name: string) => about(findings, name);
    expect(found("database")).toMatchObject([
      {
        status: "ok",
        found: expect.stringMatching(/^PostgreSQL \d+.* answers in [\d.]+ ms, and takes writes$/),
      },
    ]);
    expect(found("schema")).toMatchObject([
      { status: "ok", found: expect.stringMatching(/^up to date, at \d{4}_/) },
    ]);
    expect(found("clock")).toMatchObject([{ status: "ok" }]);
    expect(found("signing keys")).toMatchObject([
      {
        status: "ok",
        found: expect.stringMatching(/^SECRET_KEY decrypts \d+ of \d+, which depend on its entry 1$/),
      },
    ]);
    for (const name of ["PORT", "OPS_PORT"]) {
      expect(found(name)).toMatchObject([
        { status: "ok", found: expect.stringContaining("held by a Countersign") },
      ]);
    }
    expect(stdout).not.toContain(testSecretKey);
    expect(stdout).not.toContain(new URL(service.databaseUrl).password);
  });

  test("finds a SECRET_KEY that does not open the signing keys", async () => {
    const findings = await look(checkDatabase, {
      ...given(),
      SECRET_KEY: "another-secret-key-9876543210-zyxwvuts",
    });
    expect(about(findings, "signing keys")).toMatchObject([
      { status: "fail", found: expect.stringContaining("a secret that SECRET_KEY does not hold (id ") },
    ]);
  });

  test("finds the entry that the signing keys hang on in a list", async () => {
    const { findings } = await diagnose({
      ...given(),
      SECRET_KEY: `another-secret-key-9876543210-zyxwvuts,${testSecretKey}`,
    });
    expect(about(findings, "signing keys")[0]?.found).toMatch(/depend on its entry 2$/);
  });

  test("makes no table in an empty database, and says that the start does", async () => {
    const database = await createSharedDatabase();
    try {
      const findings = await look(checkDatabase, { ...given(), DATABASE_URL: database.url });
      expect(about(findings, "schema")).toMatchObject([
        { status: "ok", found: expect.stringContaining("pending") },
      ]);
      expect(about(findings, "signing keys")[0]?.found).toContain("none yet");
      const client = await openSql(database.url);
      const { rows } = await client.query(
        "select 1 from pg_class where relnamespace = 'public'::regnamespace",
      );
      await client.end();
      expect(rows).toEqual([]);
    } finally {
      await database.drop();
    }
  });

  test("finds a database that was made by a newer version", async () => {
    const database = await createSharedDatabase();
    try {
      await runCommand(["migrate"], { ...(await baseEnv()), ...given(), DATABASE_URL: database.url });
      const client = await openSql(database.url);
      await client.query(`insert into schema_migrations (version, name, checksum)
        select max(version) + 1, '9999_future', 'x' from schema_migrations`);
      const newer = await look(checkDatabase, { ...given(), DATABASE_URL: database.url });
      await client.query("update schema_migrations set checksum = 'x' where version = 1");
      const changed = await look(checkDatabase, { ...given(), DATABASE_URL: database.url });
      await client.end();
      expect(about(newer, "schema")).toMatchObject([
        { status: "warn", found: expect.stringContaining("newer than this code: it has 9999_future") },
      ]);
      expect(about(changed, "schema")).toMatchObject([
        { status: "fail", found: expect.stringContaining("was changed after it was applied") },
      ]);
    } finally {
      await database.drop();
    }
  });
});

describe("the doctor, of stores", () => {
  const given = { SECRET_KEY: testSecretKey, ISSUER: "http://localhost" };
  let silent: Server | null = null;
  afterEach(() => void silent?.close());

  /** Accepts connections and never answers. */
  async function startSilent(): Promise<number> {
    silent = createServer((socket) => socket.on("error", () => undefined)).listen(0, "127.0.0.1");
    await once(silent, "listening");
    return (silent.address() as AddressInfo).port;
  }

  test("finds a database and a Redis that nobody listens for", async () => {
    const port = await freePort();
    const { findings, code } = await diagnose({
      ...given,
      DATABASE_URL: `postgres://anna:hunter2@127.0.0.1:${port}/x`,
      REDIS_URL: `redis://:hunter2@127.0.0.1:${port}`,
    });
    expect(code).toBe(1);
    expect(about(findings, "database")).toMatchObject([
      { status: "fail", found: "it cannot be reached: connection refused", mend: expect.any(String) },
    ]);
    expect(about(findings, "Redis")).toMatchObject([
      { status: "warn", found: "it cannot be reached: connection refused" },
    ]);
  });

  test("ends within five seconds though both hang", async () => {
    const port = await startSilent();
    const startedAt = performance.now();
    const { findings, code } = await diagnose({
      ...given,
      DATABASE_URL: `postgres://anna:hunter2@127.0.0.1:${port},127.0.0.1:${port},127.0.0.1:${port}/x?sslmode=disable`,
      REDIS_URL: `redis://127.0.0.1:${port}`,
      PORT: String(port),
    });
    // As much more as other tests keep the cores busy.
    const busy = Math.max(1, (loadavg()[0] ?? 0) / availableParallelism());
    expect(performance.now() - startedAt).toBeLessThan(5_000 * busy);
    expect(code).toBe(1);
    expect(about(findings, "database")).toMatchObject([{ status: "fail" }]);
    expect(about(findings, "Redis")).toMatchObject([{ status: "warn" }]);
    expect(about(findings, "PORT")).toMatchObject([
      {
        status: "fail",
        found: `${port} is held by another program`,
        mend: expect.stringContaining("set PORT"),
      },
    ]);
  });
});

describe("the doctor, of a production start", () => {
  test("warns of a production start in the open, or behind a proxy that is not named, and refuses a secret that can be guessed", async () => {
    const { findings } = await diagnose({
      NODE_ENV: "production",
      ISSUER: "http://id.example.com",
      SECRET_KEY: "a".repeat(32),
      BOOTSTRAP_PASSWORD: "correct horse battery",
    });
    const warned = findings.filter(({ status }) => status === "warn").map(({ name }) => name);
    expect(warned).toEqual(expect.arrayContaining(["ISSUER", "TRUSTED_PROXIES", "BOOTSTRAP_PASSWORD"]));
    expect(findings).toContainEqual(
      expect.objectContaining({
        status: "fail",
        name: "configuration",
        found: expect.stringMatching(/^SECRET_KEY must hold .* random characters/),
      }),
    );
  });
});
