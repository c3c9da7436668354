import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { checkDataDir } from "../../src/cli/doctor/check-data-dir.ts";
import { checkConfiguration } from "../../src/cli/doctor/check-configuration.ts";
import { checkDatabase } from "../../src/cli/doctor/check-database.ts";
import { checkHashing } from "../../src/cli/doctor/check-hashing.ts";
import { checkRedis } from "../../src/cli/doctor/check-redis.ts";
import { checkTls } from "../../src/cli/doctor/check-tls.ts";
import { createPeppers } from "../../src/domain/password/peppers.ts";
import * as given from "../_harness/given.ts";
import { changeUser } from "../_harness/rows/users.ts";
import { startService, testSecretKey } from "../_harness/service.ts";
import { createSharedDatabase, sharedRedisUrl } from "../_harness/shared-stores.ts";
import { openSql } from "../_harness/sql.ts";
import { about, look } from "./diagnose.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "countersign-doctor-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each([
  ["http://id.example.net", {}, 1],
  ["http://id.example.net", { AUTH_COOKIES: "off" }, 0],
  ["https://id.example.net", {}, 0],
  ["http://localhost:8080", {}, 0],
  ["http://id.localhost:8080", {}, 0],
  ["http://127.0.0.1:8080", {}, 0],
  ["http://[::1]:8080", {}, 0],
])("the doctor knows whether browsers drop the cookies of %s, with %j", async (ISSUER, env, count) => {
  const findings = await look(checkConfiguration, { SECRET_KEY: testSecretKey, ISSUER, ...env });
  expect(about(findings, "AUTH_COOKIES").map(({ status }) => status)).toEqual(Array(count).fill("warn"));
});

describe("a check of a store", () => {
  const plain = { SECRET_KEY: testSecretKey, ISSUER: "http://localhost" };

  test("finds a password that is refused, and shows it nowhere", async () => {
    const database = await createSharedDatabase();
    try {
      const url = new URL(database.url);
      url.password = "hunter2-is-wrong";
      const findings = await look(checkDatabase, { ...plain, DATABASE_URL: url.href });
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
    const admin = await openSql(database.url);
    try {
      const role = `${name}_role`;
      await admin.query(`create role ${role} login password 'secret-of-role'`);
      const url = new URL(database.url);
      url.username = role;
      url.password = "secret-of-role";
      const poor = await look(checkDatabase, { ...plain, DATABASE_URL: url.href });
      expect(about(poor, "schema")).toMatchObject([
        { status: "fail", found: expect.stringContaining("the role may not create tables") },
      ]);
      await admin.query(`drop role ${role}`);
      const latin = "encoding 'LATIN1' template template0 locale_provider libc locale 'C'";
      await admin.query(`create database ${name}_latin ${latin}`);
      const other = await look(checkDatabase, {
        ...plain,
        DATABASE_URL: database.url.replace(name, `${name}_latin`),
      });
      await admin.query(`drop database ${name}_latin with (force)`);
      expect(other).toContainEqual(
        expect.objectContaining({ status: "fail", found: expect.stringContaining("its encoding is LATIN1") }),
      );
      await admin.query(`alter database ${name} set default_transaction_read_only = on`);
      const readOnly = await look(checkDatabase, { ...plain, DATABASE_URL: database.url });
      expect(about(readOnly, "database")).toMatchObject([
        { status: "fail", found: "it answers, but is read-only" },
      ]);
    } finally {
      await admin.end();
      await database.drop();
    }
  });

  test("counts the users whose stored password hash cannot be read, and says which pepper is gone", async () => {
    const database = await createSharedDatabase();
    const service = await startService({ env: { ...plain, DATABASE_URL: database.url } });
    const sql = await openSql(database.url);
    const hashes = async (env: Record<string, string> = {}) =>
      about(await look(checkDatabase, { ...plain, DATABASE_URL: database.url, ...env }), "password hashes");
    const pepper = "5c1f0e9b7a3d48e26f9081b4c7d25a36";
    try {
      const user = await given.user(service, { username: "bcrypt" });
      const bcrypt = "$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e";
      await changeUser(sql, user, { password_hash: bcrypt });
      expect(await hashes()).toMatchObject([
        { status: "ok", found: "the hashes of all 2 users can be read" },
      ]);
      const damaged = [
        "no hash",
        "hunter22",
        `${bcrypt}x`,
        "$scrypt$ln=30,r=8,p=1$c2l4dGVlbiBieXRlIHNsdA$pm8pKHMuzBMnzWjYpm8pKH",
      ];
      for (const [index, hash] of damaged.entries()) {
        const { id } = await given.user(service, { username: `damaged-${index}` });
        await changeUser(sql, { id }, { password_hash: hash });
      }
      const peppered = await given.user(service, { username: "peppered" });
      const id = createPeppers([pepper]).current?.id ?? "";
      await changeUser(sql, peppered, { password_pepper_id: id });
      expect(await hashes({ PASSWORD_PEPPER: pepper })).toMatchObject([
        { status: "warn", found: "4 of 7 cannot be read: these users cannot sign in" },
      ]);
      expect(await hashes()).toMatchObject([
        { status: "warn", found: "4 of 7 cannot be read: these users cannot sign in" },
        {
          status: "warn",
          found: `1 of 7 depend on a pepper that PASSWORD_PEPPER does not hold (id ${id}): these users cannot sign in`,
        },
      ]);
      for (const { username } of [user, peppered, service.admin]) {
        await changeUser(sql, { username }, { password_pepper_id: "deadbeef" });
      }
      expect(await hashes()).toMatchObject([{ status: "fail" }, { status: "fail" }]);
    } finally {
      await sql.end();
      await service.stop();
      await database.drop();
    }
  }, 60_000);

  test.each([
    ["2 seconds", "ok"],
    ["-30 seconds", "warn"],
    ["10 minutes", "fail"],
  ])("finds a clock that is %s off", async (interval, status) => {
    const database = await createSharedDatabase();
    const admin = await openSql(database.url);
    try {
      // In place of PostgreSQL's own, for sessions that look here first.
      await admin.query(`create function public.clock_timestamp() returns timestamptz language sql
        return pg_catalog.clock_timestamp() + interval '${interval}'`);
      const options = encodeURIComponent("-c search_path=public,pg_catalog");
      const findings = await look(checkDatabase, {
        ...plain,
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

describe("a check of this machine", () => {
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
    expect(about(good, "Argon2id")).toEqual([
      { status: "ok", name: "Argon2id", found: expect.stringMatching(/^\S.* is used; /), mend: null },
    ]);
    const cheap = await look(checkHashing, { ARGON2_MEMORY_KIB: "8", ARGON2_ITERATIONS: "1" });
    expect(about(cheap, "password hashing")).toMatchObject([
      { status: "warn", mend: expect.stringContaining("raise") },
    ]);
    const dear = await look(checkHashing, { ARGON2_MEMORY_KIB: "1048576", ARGON2_ITERATIONS: "8" });
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
});
