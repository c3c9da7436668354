import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { Client } from "pg";
import { checkDataDir } from "../../src/cli/doctor/check-data-dir.ts";
import { checkDatabase } from "../../src/cli/doctor/check-database.ts";
import { checkHashing } from "../../src/cli/doctor/check-hashing.ts";
import { checkRedis } from "../../src/cli/doctor/check-redis.ts";
import { checkTls } from "../../src/cli/doctor/check-tls.ts";
import type { Check, Finding } from "../../src/cli/doctor/finding.ts";
import { runChecks } from "../../src/cli/doctor/run-checks.ts";
import { examineStart } from "../../src/start/read-config.ts";
import { freePort } from "../_harness/ports.ts";
import {
  type CommandResult,
  runCommand,
  startService,
  testSecretKey,
  type TestService,
} from "../_harness/service.ts";
import { createSharedDatabase, sharedRedisUrl } from "../_harness/shared-stores.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "countersign-doctor-"));
  await chmod(folder, 0o711);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function baseEnv(): Promise<Record<string, string>> {
  return {
    PATH: process.env["PATH"] ?? "",
    HOST: "127.0.0.1",
    PORT: String(await freePort()),
    OPS_PORT: String(await freePort()),
    DATA_DIR: join(folder, randomBytes(6).toString("hex")),
    ARGON2_MEMORY_KIB: "19456",
  };
}

async function diagnose(env: Record<string, string>): Promise<CommandResult & { findings: Finding[] }> {
  const result = await runCommand(["doctor", "--json"], { ...(await baseEnv()), ...env });
  expect(result.stderr).toBe("");
  const report = JSON.parse(result.stdout) as { ok: boolean; findings: Finding[] };
  expect(report.ok).toBe(result.code === 0);
  return { ...result, findings: report.findings };
}

/** One check by itself, in this process. */
async function look(check: Check, env: Record<string, string>): Promise<Finding[]> {
  return runChecks([check], examineStart({ ...(await baseEnv()), ...env }));
}

function about(findings: readonly Finding[], name: string): Finding[] {
  return findings.filter((finding) => finding.name === name);
}

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
    expect(stdout).toMatch(/^warn {2}ports {2,}not looked at, since PORT cannot be read$/m);
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
        found: expect.stringMatching(/^SECRET_KEY opens \d+ of \d+, which hang on its entry 1$/),
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
    const findings = await look(checkDatabase, { ...given(), SECRET_KEY: "x1y2z3w4".repeat(4) });
    expect(about(findings, "signing keys")).toMatchObject([
      { status: "fail", found: expect.stringContaining("a secret that SECRET_KEY does not hold (id ") },
    ]);
  });

  test("finds the entry that the signing keys hang on in a list", async () => {
    const { findings } = await diagnose({
      ...given(),
      SECRET_KEY: `${"x1y2z3w4".repeat(4)},${testSecretKey}`,
    });
    expect(about(findings, "signing keys")[0]?.found).toMatch(/hang on its entry 2$/);
  });

  test("makes no table in an empty database, and says that the start does", async () => {
    const database = await createSharedDatabase();
    try {
      const findings = await look(checkDatabase, { ...given(), DATABASE_URL: database.url });
      expect(about(findings, "schema")).toMatchObject([
        { status: "ok", found: expect.stringContaining("pending") },
      ]);
      expect(about(findings, "signing keys")[0]?.found).toContain("none yet");
      const client = new Client({
        connectionString: database.url.replace("?sslmode=disable", ""),
        ssl: false,
      });
      await client.connect();
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
      const client = new Client({
        connectionString: database.url.replace("?sslmode=disable", ""),
        ssl: false,
      });
      await client.connect();
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

  test("finds a password that is refused, and shows it nowhere", async () => {
    const database = await createSharedDatabase();
    try {
      const url = new URL(database.url);
      url.password = "hunter2-is-wrong";
      const findings = await look(checkDatabase, { ...given, DATABASE_URL: url.href });
      expect(about(findings, "database")).toMatchObject([
        { status: "fail", found: "it cannot be reached: sign-in refused" },
      ]);
      expect(JSON.stringify(findings)).not.toContain("hunter2");
    } finally {
      await database.drop();
    }
  });

  test("finds a database that is read-only, in another encoding, or whose role may create nothing", async () => {
    const database = await createSharedDatabase();
    const name = new URL(database.url).pathname.slice(1);
    const admin = new Client({ connectionString: database.url.replace("?sslmode=disable", ""), ssl: false });
    await admin.connect();
    try {
      const role = `${name}_role`;
      await admin.query(`create role ${role} login password 'secret-of-role'`);
      const url = new URL(database.url);
      url.username = role;
      url.password = "secret-of-role";
      const poor = await look(checkDatabase, { ...given, DATABASE_URL: url.href });
      expect(about(poor, "schema")).toMatchObject([
        { status: "fail", found: expect.stringContaining("the role may not create tables") },
      ]);
      await admin.query(`drop role ${role}`);
      const latin = "encoding 'LATIN1' template template0 locale_provider libc locale 'C'";
      await admin.query(`create database ${name}_latin ${latin}`);
      const other = await look(checkDatabase, {
        ...given,
        DATABASE_URL: database.url.replace(name, `${name}_latin`),
      });
      await admin.query(`drop database ${name}_latin with (force)`);
      expect(other).toContainEqual(
        expect.objectContaining({ status: "fail", found: expect.stringContaining("its encoding is LATIN1") }),
      );
      await admin.query(`alter database ${name} set default_transaction_read_only = on`);
      const readOnly = await look(checkDatabase, { ...given, DATABASE_URL: database.url });
      expect(about(readOnly, "database")).toMatchObject([
        { status: "fail", found: "it answers, but is read-only" },
      ]);
    } finally {
      await admin.end();
      await database.drop();
    }
  });

  test.each([
    ["2 seconds", "ok"],
    ["-30 seconds", "warn"],
    ["10 minutes", "fail"],
  ])("finds a clock that is %s off", async (interval, status) => {
    const database = await createSharedDatabase();
    const admin = new Client({ connectionString: database.url.replace("?sslmode=disable", ""), ssl: false });
    await admin.connect();
    try {
      // In place of PostgreSQL's own, for sessions that look here first.
      await admin.query(`create function public.clock_timestamp() returns timestamptz language sql
        return pg_catalog.clock_timestamp() + interval '${interval}'`);
      const options = encodeURIComponent("-c search_path=public,pg_catalog");
      const findings = await look(checkDatabase, {
        ...given,
        DATABASE_URL: `${database.url}&options=${options}`,
      });
      const [clock] = about(findings, "clock");
      expect(clock).toMatchObject({
        status,
        found: expect.stringMatching(/^it differs from the database's by \d+\.\d s$/),
      });
      expect(clock?.mend ?? "none").toMatch(status === "ok" ? /^none$/ : /NTP/);
    } finally {
      await admin.end();
      await database.drop();
    }
  });

  test("finds Redis well, and tells its version", async () => {
    const findings = await look(checkRedis, { REDIS_URL: sharedRedisUrl() });
    expect(about(findings, "Redis")).toMatchObject([
      { status: "ok", found: expect.stringMatching(/^(Redis|Valkey) [\d.]+ answers in [\d.]+ ms$/) },
    ]);
  });
});

describe("the doctor, of this machine", () => {
  test("finds what is wrong with DATA_DIR and the files in it", async () => {
    const dataDir = join(folder, "open");
    await mkdir(dataDir);
    await chmod(dataDir, 0o777);
    await writeFile(join(dataDir, "bootstrap-password"), "x\n", { mode: 0o644 });
    const findings = await look(checkDataDir, { DATA_DIR: dataDir });
    expect(
      about(findings, "DATA_DIR").map(({ status, found }) => [status, found.replace(dataDir, "D")]),
    ).toEqual([
      ["ok", "D can be written to"],
      ["warn", "D can be written to by others"],
      ["warn", "D/bootstrap-password can be read by others"],
      ["warn", "D/bootstrap-password still holds the first user's password"],
    ]);
    expect(await readdir(dataDir)).toEqual(["bootstrap-password"]);
    const file = await look(checkDataDir, { DATA_DIR: join(dataDir, "bootstrap-password") });
    expect(about(file, "DATA_DIR")).toMatchObject([
      { status: "fail", found: expect.stringContaining("not a folder") },
    ]);
  });

  test("measures a hash, and warns of one that is too cheap or too dear", async () => {
    const good = await look(checkHashing, {});
    expect(about(good, "password hashing")).toMatchObject([
      {
        found: expect.stringMatching(
          /^a hash takes [\d.]+ ms; \d+ at once make [\d.]+ logins a second, with \d+ MiB of memory$/,
        ),
      },
    ]);
    const cheap = await look(checkHashing, { ARGON2_MEMORY_KIB: "8", ARGON2_ITERATIONS: "1" });
    expect(about(cheap, "password hashing")).toMatchObject([
      { status: "warn", mend: expect.stringContaining("raise") },
    ]);
    const dear = await look(checkHashing, { ARGON2_MEMORY_KIB: "1048576", ARGON2_ITERATIONS: "64" });
    expect(about(dear, "password hashing")).toMatchObject([
      { status: "warn", mend: expect.stringContaining("lower") },
    ]);
  });

  test("looks at the certificate: its time, its key and its name", async () => {
    const make = (file: string, days: number): void => {
      const options = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
      const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
      const out = ["-keyout", join(folder, `${file}.key`), "-out", join(folder, `${file}.pem`)];
      execFileSync("openssl", ["req", ...options, ...names, ...out, "-days", String(days)], {
        stdio: "ignore",
      });
    };
    const tls = async (cert: string, key: string, issuer = "https://localhost") => {
      const env = { TLS_CERT_FILE: join(folder, cert), TLS_KEY_FILE: join(folder, key), ISSUER: issuer };
      return look(checkTls, { ...env, SECRET_KEY: testSecretKey });
    };
    make("long", 400);
    make("short", 10);
    expect(await tls("long.pem", "long.key")).toMatchObject([
      { status: "ok", found: expect.stringContaining("good until") },
    ]);
    expect(await tls("short.pem", "short.key")).toMatchObject([{ status: "warn", mend: "renew it" }]);
    expect(await tls("long.pem", "short.key")).toMatchObject([
      { status: "fail", found: expect.stringContaining("do not belong together") },
    ]);
    expect(await tls("none.pem", "long.key")).toMatchObject([
      { status: "fail", found: "the file of TLS_CERT_FILE cannot be read (ENOENT)" },
    ]);
    expect(await tls("long.key", "long.pem")).toMatchObject([{ status: "fail" }, { status: "fail" }]);
    expect(await tls("long.pem", "long.key", "https://id.example.com")).toMatchObject([
      { status: "ok" },
      { status: "warn", found: "the certificate is not for id.example.com, the host of ISSUER" },
    ]);
  });

  test("warns of a production start in the open, behind a proxy that is not named, or with a guessable secret", async () => {
    const { findings } = await diagnose({
      NODE_ENV: "production",
      ISSUER: "http://id.example.com",
      SECRET_KEY: "a".repeat(32),
      BOOTSTRAP_PASSWORD: "correct horse battery",
    });
    const warned = findings.filter(({ status }) => status === "warn").map(({ name }) => name);
    expect(warned).toEqual(
      expect.arrayContaining(["ISSUER", "TRUSTED_PROXIES", "SECRET_KEY", "BOOTSTRAP_PASSWORD"]),
    );
  });
});
