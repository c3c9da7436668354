import { createDecipheriv, createHash, createHmac, randomBytes, randomInt } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Redis } from "ioredis";
import { readRefreshToken, requireTokens, sessionIdOf, type Tokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { longTimeoutMs, printFigures, sizeOf } from "../_harness/figures.ts";
import * as given from "../_harness/given.ts";
import { deriveKey, makeRefreshToken } from "../_harness/make-refresh-token.ts";
import { createTestDatabase, startTestCluster, type TestCluster } from "../_harness/postgres.ts";
import { startRedis, type TestRedis } from "../_harness/redis.ts";
import { readSession } from "../_harness/rows/sessions.ts";
import { startService, type TestService, testSecretKey } from "../_harness/service.ts";
import { storeEnv } from "../_harness/session-stores.ts";
import { openSql } from "../_harness/sql.ts";
import { untilPostgresServes } from "../_harness/store-return.ts";

// The first issues; the second is accepted.
const secrets = [testSecretKey, "another-secret-key-0123456789-abcdefghijklm"] as const;

let cluster: TestCluster;
let server: TestRedis;
let redis: Redis;
let service: TestService;
beforeAll(async () => {
  cluster = await startTestCluster();
  server = await startRedis();
  redis = new Redis(server.url);
  const { url } = await createTestDatabase(cluster);
  const env = storeEnv("Redis and PostgreSQL", server.url);
  // The limits count in Redis, and come before everything.
  const off = { THROTTLE_REFRESH_ADDRESS: "off", THROTTLE_LOGOUT_ADDRESS: "off" };
  service = await startService({ env: { ...env, ...off, DATABASE_URL: url, SECRET_KEY: secrets.join(",") } });
}, longTimeoutMs);
afterAll(async () => {
  await service.stop();
  redis.disconnect();
  await server.stop();
  await cluster.stop();
});

async function begin(): Promise<Tokens> {
  const sql = await openSql(service.databaseUrl);
  const user = await given.user(sql);
  await sql.end();
  return given.session(service, { user });
}

/** How often a session's record was read, by whichever command or script. */
async function recordsRead(): Promise<number> {
  const stats = await redis.info("commandstats");
  return Number(/cmdstat_get:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}

/** What an attacker makes from a genuine token that is not one. */
const forgeries: Readonly<Record<string, (token: string) => string>> = {
  truncated: (token) => token.slice(0, randomInt(token.length)),
  lengthened: (token) => token + randomBytes(randomInt(1, 40)).toString("base64url"),
  "with a bit flipped": (token) => {
    const bytes = bytesOf(token);
    const bit = randomInt(bytes.length * 8);
    bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    return textOf(bytes);
  },
  "with two bytes exchanged": (token) => {
    const bytes = bytesOf(token);
    let [one, two] = [0, 0];
    while (bytes[one] === bytes[two]) [one, two] = [randomInt(bytes.length), randomInt(bytes.length)];
    const kept = bytes.readUInt8(one);
    bytes.writeUInt8(bytes.readUInt8(two), one);
    bytes.writeUInt8(kept, two);
    return textOf(bytes);
  },
  "with its fields in another order": (token) => {
    const bytes = bytesOf(token);
    const [version, keyId, handle, generation, tag] = [
      [0, 1],
      [1, 5],
      [5, 21],
      [21, 29],
      [29, 61],
    ].map(([from, to]) => bytes.subarray(from, to)) as [Buffer, Buffer, Buffer, Buffer, Buffer];
    const orders = [
      [version, keyId, generation, handle, tag],
      [version, handle, keyId, generation, tag],
      [version, keyId, tag, generation, handle],
      [version, tag, keyId, handle, generation],
      [keyId, version, handle, generation, tag],
    ];
    return textOf(Buffer.concat(orders[randomInt(orders.length)] ?? []));
  },
  "of another generation under the same tag": (token) => {
    const bytes = bytesOf(token);
    bytes.writeBigUInt64BE(BigInt(randomInt(1, 1_000_000)), 21);
    return textOf(bytes);
  },
  "tagged with a key that is not ours": (token) =>
    makeRefreshToken({
      ...readRefreshToken(token),
      secret: randomBytes(32).toString("hex"),
      keyId: bytesOf(token).subarray(1, 5),
      clientId: "countersign",
    }),
  "tagged with the other of our keys": (token) =>
    makeRefreshToken({
      ...readRefreshToken(token),
      secret: secrets[1],
      keyId: bytesOf(token).subarray(1, 5),
      clientId: "countersign",
    }),
  "of another client": (token) =>
    makeRefreshToken({
      ...readRefreshToken(token),
      secret: secrets[0],
      clientId: `client${randomInt(1000)}`,
    }),
  "of another version": (token) =>
    makeRefreshToken({
      ...readRefreshToken(token),
      secret: secrets[0],
      clientId: "countersign",
      version: randomInt(2, 256),
    }),
};

function bytesOf(token: string): Buffer {
  return Buffer.from(token.slice(4), "base64url");
}

function textOf(bytes: Buffer): string {
  return `csr_${bytes.toString("base64url")}`;
}

describe("a refresh token that we did not make for this client", () => {
  test(
    "is refused without any store being asked, and nothing happens to the session",
    async () => {
      const genuine = await begin();
      const kinds = Object.entries(forgeries);
      const size = sizeOf(2000, 100_000);
      const readBefore = await recordsRead();
      await cluster.pause();
      let refused = 0;
      try {
        // Whoever asks the store is answered 503.
        expect(await api(service).rest.refresh(genuine.refresh_token)).toMatchObject({ status: 503 });
        for (let sent = 0; sent < size; ) {
          const batch = Array.from({ length: 50 }, async (_, index) => {
            const [kind = "", forge = (token: string) => token] = kinds[(sent + index) % kinds.length] ?? [];
            const { status, reason } = await api(service).rest.refresh(forge(genuine.refresh_token) || "x");
            expect({ kind, status, reason }).toEqual({ kind, status: 401, reason: "invalid_refresh_token" });
            refused += 1;
          });
          await Promise.all(batch);
          sent += batch.length;
        }
        for (const [, forge] of kinds) {
          expect((await api(service).rest.logout(forge(genuine.refresh_token) || "x")).status).toBe(401);
        }
      } finally {
        await cluster.start();
      }
      expect(await recordsRead()).toBe(readBefore);
      await untilPostgresServes(service.url, longTimeoutMs);
      const sql = await openSql(service.databaseUrl);
      expect(await readSession(sql, sessionIdOf(genuine))).toEqual({ generation: 0n, ended: false });
      await sql.end();
      const readSince = await recordsRead();
      requireTokens(await api(service).rest.refresh(genuine.refresh_token));
      expect(await recordsRead()).toBe(readSince + 1);
      printFigures("forged refresh tokens", { sent: size, refused, kinds: kinds.length });
    },
    longTimeoutMs,
  );

  test("is accepted under the second entry of SECRET_KEY when it was made with that: what is refused above is the forgery", async () => {
    const genuine = await begin();
    const parts = { ...readRefreshToken(genuine.refresh_token), clientId: "countersign" };
    const made = makeRefreshToken({ ...parts, secret: secrets[1] });
    expect(await api(service).rest.refresh(made)).toMatchObject({ status: 200 });
  });
});

/** Every value of every table of ours, as the bytes that it holds and as text. */
async function dump(): Promise<Buffer[]> {
  const sql = await openSql(service.databaseUrl);
  const tables = await sql.query<{ name: string }>(
    "select format('%I', tablename) as name from pg_tables where schemaname = 'public'",
  );
  const values: Buffer[] = [];
  for (const { name } of tables.rows) {
    const { rows } = await sql.query<Record<string, unknown>>(`select *, t::text as whole from ${name} t`);
    for (const value of rows.flatMap((row) => Object.values(row))) {
      values.push(Buffer.isBuffer(value) ? value : Buffer.from(String(value)));
    }
  }
  await sql.end();
  return values;
}

/** Every key and every value of Redis. */
async function dumpRedis(): Promise<Buffer[]> {
  const values: string[] = [];
  for (const key of await redis.keys("*")) {
    const isRecord = (await redis.type(key)) === "string";
    const held = isRecord ? [(await redis.get(key)) ?? ""] : await redis.zrange(key, "0", "-1");
    // The last part of a key is the hash of a handle; a record's first digit says how the rest is to be read.
    values.push(key, ...key.split(":"), ...held, ...held.map((value) => value.slice(1)));
  }
  return values.map((value) => Buffer.from(value));
}

/** Every file of the cluster: tables, indexes, the write-ahead log. */
async function dataFiles(): Promise<Buffer[]> {
  const sql = await openSql(service.databaseUrl);
  await sql.query("checkpoint");
  const { rows } = await sql.query<{ data_directory: string }>("show data_directory");
  await sql.end();
  const folder = rows[0]?.data_directory ?? "";
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && /base|global|pg_wal/.test(entry.parentPath));
  return Promise.all(files.map((file) => readFile(join(file.parentPath, file.name))));
}

/** Every way to write bytes down. */
function spellings(bytes: Buffer): Buffer[] {
  const hex = bytes.toString("hex");
  const base64 = bytes.toString("base64").replace(/.=*$/, "");
  const base64url = bytes.toString("base64url").slice(0, -1);
  return [bytes, ...[hex, hex.toUpperCase(), base64, base64url].map((text) => Buffer.from(text))];
}

function holds(haystacks: readonly Buffer[], needle: Buffer): boolean {
  return spellings(needle).some((spelling) => haystacks.some((haystack) => haystack.includes(spelling)));
}

/** What 16 bytes may be had from a value, with all the keys at hand. */
function combine(value: Buffer, keys: readonly Buffer[]): Buffer[] {
  const found = [value, Buffer.from(value.toString(), "hex"), Buffer.from(value.toString(), "base64url")];
  for (const algorithm of ["sha256", "sha512", "md5"]) {
    found.push(createHash(algorithm).update(value).digest());
  }
  const block = Buffer.concat([value, Buffer.alloc(32)]).subarray(0, 32);
  for (const key of keys) {
    found.push(
      createHmac("sha256", key).update(value).digest(),
      createHmac("sha256", value).update(key).digest(),
    );
    found.push(Buffer.from(block.map((byte, index) => byte ^ (key[index] ?? 0))));
    found.push(createDecipheriv("aes-256-ecb", key, null).setAutoPadding(false).update(block));
    found.push(createDecipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(block));
  }
  return found;
}

describe("a full dump of both stores together with SECRET_KEY", () => {
  test(
    "holds no refresh token, and nothing that one could be made from",
    async () => {
      const tokens = await begin();
      const latest = requireTokens(await api(service).rest.refresh(tokens.refresh_token)).refresh_token;
      const { handle } = readRefreshToken(latest);
      const inRedis = await dumpRedis();
      const [values, files] = [[...inRedis, ...(await dump())], await dataFiles()];

      // The search finds what is there: the hash of the handle.
      const hash = createHash("sha256").update(handle).digest();
      expect(holds(inRedis, hash)).toBe(true);
      expect(holds(values, hash)).toBe(true);
      expect(holds(files, hash)).toBe(true);
      for (const haystack of [values, files]) {
        expect(holds(haystack, handle)).toBe(false);
        expect(holds(haystack, bytesOf(latest).subarray(29))).toBe(false);
      }

      const purposes = ["key-id", "refresh-token", "signing-key", "name", "origin"];
      const keys = secrets.flatMap((secret) => [
        createHash("sha256").update(secret).digest(),
        ...purposes.map((purpose) => deriveKey(secret, purpose)),
      ]);
      const short = values.filter(({ length }) => length > 0 && length <= 1024);
      const candidates = short.flatMap((value) => combine(value, keys));
      expect(candidates.length).toBeGreaterThan(100 * keys.length);
      expect(candidates.some((candidate) => candidate.includes(handle))).toBe(false);
      printFigures("dump", { values: values.length, files: files.length, candidates: candidates.length });
    },
    longTimeoutMs,
  );

  test("would be found out: a handle that is written down is seen", async () => {
    const { handle } = readRefreshToken((await begin()).refresh_token);
    const sql = await openSql(service.databaseUrl);
    await sql.query("create table leak (value text)");
    for (const text of [handle.toString("hex"), handle.toString("base64"), handle.toString("base64url")]) {
      await sql.query("delete from leak");
      await sql.query("insert into leak values ($1)", [text]);
      expect(holds(await dump(), handle)).toBe(true);
    }
    await sql.query("drop table leak");
    await sql.end();
  });
});
