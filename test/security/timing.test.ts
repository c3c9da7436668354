import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createSecretKeys } from "../../src/domain/key/secret-keys.ts";
import { ownWork } from "../../src/domain/password/queue/admission.ts";
import { createDecoys, type Decoys } from "../../src/domain/password/decoys.ts";
import { createHashQueue } from "../../src/domain/password/queue/hash-queue.ts";
import { createQueuedHashing } from "../../src/domain/password/queue/hashing.ts";
import { createPasswordHasher } from "../../src/domain/password/password-hasher.ts";
import { createPeppers } from "../../src/domain/password/peppers.ts";
import { parseHashFormat } from "../../src/domain/password/stored-formats.ts";
import { createUserStore } from "../../src/domain/user/user-store.ts";
import { createLazyHashEngine } from "../../src/hashing/hash-engine.ts";
import { parseDatabaseUrl } from "../../src/postgres/connection-string.ts";
import { createPool } from "../../src/postgres/pool.ts";
import { longTimeoutMs, printFigures, sizeOf } from "../_harness/figures.ts";
import { sendForm } from "../_harness/rest.ts";
import type { TestDatabase } from "../_harness/postgres.ts";
import { insertUsersWithHash } from "../_harness/rows/users.ts";
import { runCommand, startService, type TestService, testSecretKey } from "../_harness/service.ts";
import { createSharedDatabase } from "../_harness/shared-stores.ts";
import { openSql } from "../_harness/sql.ts";
import { type Comparison, compare, isEquivalent, isFound } from "./equivalence.ts";

const salt = "c29tZXNhbHRzb21lc2FsdA";
const hash = "kGUlmSl3aG9hSDxH3vYCqFhJTD6PrCgZ7bWyWFLpvZs";
/** What is stored together, without anybody's password. */
const formats = {
  argon2id: "$argon2id$v=19$m=19456,t=2,p=1",
  "argon2id at another cost": "$argon2id$v=19$m=32768,t=2,p=1",
  bcrypt: "$2b$10",
  scrypt: "$scrypt$ln=14,r=8,p=1",
  argon2i: "$argon2i$v=19$m=19456,t=2,p=1",
  pbkdf2: "$pbkdf2-sha256$i=60000,l=32",
  "scrypt as Firebase has it": "$firebase-scrypt$ln=14,r=8",
  "a salted digest": "$ssha256",
};
/** Of which another hash is computed as well, whose time is theirs. */
const padded = "$ssha256";
/** The first with a tenth more memory: the difference that has to be found. */
const planted = "$argon2id$v=19$m=21402,t=2,p=1";

function storedHash(format: string): string {
  return format.startsWith("$2")
    ? `${format}$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e`
    : `${format}$${salt}$${format.startsWith("$firebase") ? `${hash}${hash}` : hash}`;
}

const identity = { SECRET_KEY: testSecretKey, ISSUER: "http://localhost:8080" };
const engine = createLazyHashEngine({ memoryKib: 19_456, iterations: 2, parallelism: 1 });
const share = 0.05;
const samples = sizeOf(3, 600);
// So few samples as the short form takes decide nothing: it shows that the measurement runs, and judges no time.
const isDecisive = sizeOf(0, 1) === 1;
const userCount = sizeOf(20, samples);

let database: TestDatabase;
beforeAll(async () => {
  database = await createSharedDatabase();
  await migrateDatabase(database.url);
  const sql = await openSql(database.url);
  for (const [index, format] of [...Object.values(formats), planted].entries()) {
    const names = Array.from({ length: userCount }, (_, nth) => knownName(index, nth));
    await insertUsersWithHash(sql, names, storedHash(format));
  }
  await sql.end();
}, longTimeoutMs);
afterAll(() => database.drop());

async function migrateDatabase(databaseUrl: string): Promise<void> {
  const env = { PATH: process.env["PATH"] ?? "", DATABASE_URL: databaseUrl, ...identity };
  const { code, stderr } = await runCommand(["migrate"], env);
  if (code !== 0) throw new Error(stderr);
}

/** Users whose stored hash cannot be read, by names whose decoy is Argon2id's. */
async function addDamaged(decoys: Decoys): Promise<string[]> {
  const names = findNames("damaged", decoys, formats.argon2id, userCount);
  const sql = await openSql(database.url);
  await insertUsersWithHash(sql, names, "damaged");
  await sql.end();
  return names;
}

function knownName(formatIndex: number, nth: number): string {
  return `known-${formatIndex}-${nth}`;
}

/** Decoys as the service has them, by what is stored now. */
async function createServiceDecoys(): Promise<Decoys> {
  const pool = createPool({
    target: parseDatabaseUrl(database.url),
    max: 1,
    statementTimeoutMs: 30_000,
    connectTimeoutMs: 30_000,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  const counts = await createUserStore(pool).countHashFormats();
  await pool.end();
  const decoys = createDecoys(createSecretKeys([testSecretKey]).current.derive("name"), "none is known");
  decoys.update(counts);
  return decoys;
}

/** Unknown names that the service hashes in a format. */
function findUnknownNames(decoys: Decoys, format: string, count: number): string[] {
  return findNames("unknown", decoys, format, count);
}

function findNames(kind: string, decoys: Decoys, format: string, count: number): string[] {
  const names: string[] = [];
  for (let index = 0; names.length < count; index += 1) {
    const name = `${kind}-${index}`;
    if (decoys.choose(name) === format) names.push(name);
  }
  return names;
}

describe("an unknown name costs what a known one costs that is stored in its format:", () => {
  /** The work that a hasher has done, without what differs from password to password. */
  const done: object[] = [];
  const hasher = createPasswordHasher({
    cost: { memoryKib: 64, iterations: 1, parallelism: 1 },
    peppers: createPeppers([]),
    hashing: createQueuedHashing(createHashQueue({ concurrency: 1, queueMax: 1, waitMaxMs: 60_000 }), {
      run(work) {
        const { password: _password, salt: _salt, ...cost } = work;
        done.push({ ...cost, saltBytes: work.salt.byteLength });
        return engine.run(work);
      },
    }),
  });

  test.each(Object.entries(formats))("%s", async (_name, format) => {
    const decoys = await createServiceDecoys();
    const [unknown = ""] = findUnknownNames(decoys, format, 1);
    await hasher.pretend(decoys.choose(unknown), "a guess", ownWork);
    const pretended = done.splice(0);
    expect(await hasher.verify({ phc: storedHash(format), pepperId: null }, "a guess", ownWork)).toBe(
      "wrong",
    );
    expect(pretended).toEqual(done.splice(0));
    expect(pretended).toHaveLength(format === padded ? 2 : 1);
  });

  test("and formats are chosen in the proportion stored", async () => {
    const decoys = await createServiceDecoys();
    const stored = [...Object.values(formats), planted];
    const chosen = Array.from({ length: 2_000 }, (_, index) => decoys.choose(`unknown-${index}`));
    for (const format of stored) {
      const part = chosen.filter((one) => one === format).length / chosen.length;
      expect(Math.abs(part - 1 / stored.length)).toBeLessThan(0.05);
    }
  });
});

describe("the comparison of samples", () => {
  /** What a busy machine makes of a time: some jitter, and now and then a long delay. */
  const measure = (ms: number) => ms + Math.random() + (Math.random() < 0.1 ? 20 * Math.random() : 0);
  const take = (ms: number) => Array.from({ length: 2_000 }, () => measure(ms));

  test("finds equal ones equivalent, and a tenth more to be a difference", () => {
    expect(isEquivalent(compare(take(20), take(20)), 20 * share)).toBe(true);
    const planted = compare(take(20), take(22));
    expect([isEquivalent(planted, 20 * share), isFound(planted, 20 * share)]).toEqual([false, true]);
  });

  test("says nothing where there are too few", () => {
    const few = compare([20, 25, 21, 30, 22], [21, 29, 20, 26, 23]);
    expect([isEquivalent(few, 1), isFound(few, 1)]).toEqual([false, false]);
  });
});

describe("the time of an answer", () => {
  let service: TestService;
  let decoys: Decoys;
  let damaged: string[];
  beforeAll(async () => {
    decoys = await createServiceDecoys();
    damaged = await addDamaged(decoys);
    const env = {
      ...identity,
      DATABASE_URL: database.url,
      ARGON2_MEMORY_KIB: "19456",
      ARGON2_ITERATIONS: "2",
      TRUSTED_PROXIES: "127.0.0.1",
    };
    service = await startService({ env });
  }, longTimeoutMs);
  afterAll(() => service.stop());

  /** Every attempt comes from an address of its own, so that none is throttled. */
  let attempts = 0;
  const time = async (username: string): Promise<number> => {
    attempts += 1;
    const address = `10.${(attempts >> 16) & 255}.${(attempts >> 8) & 255}.${attempts & 255}`;
    const headers = { "x-forwarded-for": address };
    const startedAt = performance.now();
    const { status } = await sendForm(`${service.url}/auth/login`, { username, password: "wrong" }, headers);
    const ms = performance.now() - startedAt;
    expect(status).toBe(401);
    return ms;
  };

  /** Both kinds of names in turn, in a random order within each pair. */
  const interleave = async (one: readonly string[], other: readonly string[]): Promise<Comparison> => {
    const [ones, others]: [number[], number[]] = [[], []];
    for (const [index, name] of one.entries()) {
      const pair = [
        async () => ones.push(await time(name)),
        async () => others.push(await time(other[index] ?? "")),
      ];
      if (Math.random() < 0.5) pair.reverse();
      for (const next of pair) await next();
    }
    return compare(ones, others);
  };

  const known = (index: number): string[] =>
    Array.from({ length: samples }, (_, nth) => knownName(index, nth));

  test(
    "tells no unknown name from a known one, in any format or in none; and a tenth more would be found",
    async () => {
      const control = await interleave(known(0), known(Object.keys(formats).length));
      const found: Record<string, string> = {};
      const failed: string[] = [];
      const baseMs = await measureHashMs(formats.argon2id);
      found["planted"] = describeComparison(control, baseMs);
      for (const [index, [name, format]] of Object.entries(formats).entries()) {
        const hashMs = await measureHashMs(format);
        const comparison = await interleave(known(index), findUnknownNames(decoys, format, samples));
        found[name] = describeComparison(comparison, hashMs);
        if (!isEquivalent(comparison, share * hashMs)) failed.push(name);
      }
      const unknown = findUnknownNames(decoys, formats.argon2id, samples);
      const comparison = await interleave(damaged.slice(0, samples), unknown);
      found["a hash that cannot be read"] = describeComparison(comparison, baseMs);
      if (!isEquivalent(comparison, share * baseMs)) failed.push("a hash that cannot be read");
      printFigures("timing", found);
      // Without the planted difference, the run has proved nothing.
      const verdict = { isFound: isFound(control, share * baseMs), failed };
      expect(Object.keys(found)).toEqual(["planted", ...Object.keys(formats), "a hash that cannot be read"]);
      expect(isDecisive ? verdict : null).toEqual(isDecisive ? { isFound: true, failed: [] } : null);
    },
    longTimeoutMs,
  );
});

/** The quickest of a few hashes in a format. */
async function measureHashMs(format: string): Promise<number> {
  const parsed = parseHashFormat(format === padded ? formats.argon2id : format);
  if (parsed === null) throw new Error("the format cannot be read");
  const times: number[] = [];
  for (let run = 0; run < 10; run += 1) {
    const work = { ...parsed, password: Buffer.from("wrong"), salt: randomBytes(16), secret: null };
    const startedAt = performance.now();
    await engine.run(work);
    times.push(performance.now() - startedAt);
  }
  return Math.min(...times);
}

function describeComparison({ difference, margin }: Comparison, hashMs: number): string {
  const part = (ms: number): string => ((100 * ms) / hashMs).toFixed(1);
  return `${part(difference)} % +- ${part(margin)} % of ${hashMs.toFixed(1)} ms`;
}
