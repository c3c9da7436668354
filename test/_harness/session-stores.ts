import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { Redis } from "ioredis";
import { type Client, Pool } from "pg";
import { eventually } from "./eventually.ts";
import { readSessionEvents } from "./rows/audit.ts";
import * as rows from "./rows/sessions.ts";
import type { SessionRow } from "./rows/sessions.ts";
import { sharedRedisUrl } from "./shared-stores.ts";
import { openSql } from "./sql.ts";

/** Where sessions' generations are: a test of sessions is run over each where it matters. */
export const storeKinds = ["PostgreSQL alone", "Redis and PostgreSQL"] as const;
/** One of them. */
export type StoreKind = (typeof storeKinds)[number];

// A machine that is busy with tests is slow, and these are not about time.
const patience = { DATABASE_TIMEOUT: "60s", REQUEST_TIMEOUT: "60s", REDIS_TIMEOUT: "5s" };

/** The variables that make a service use such stores. With Redis it is the run's own, unless one is given. */
export function storeEnv(kind: StoreKind, redisUrl: string = sharedRedisUrl()): Record<string, string> {
  if (kind === "PostgreSQL alone") return { ...patience, REDIS_URL: "" };
  return { ...patience, REDIS_URL: redisUrl, REDIS_KEY_PREFIX: `test-${randomBytes(6).toString("hex")}:` };
}

/** The stores of a service's sessions, past the service. */
export interface SessionStores {
  readonly sql: Client;
  /** Null where Postgres is alone. */
  readonly redis: Redis | null;
  /** Reads a session once Postgres knows all that Redis does. */
  readSession(id: string): Promise<SessionRow>;
  /** Makes all of a session's rotations, in both stores, so many seconds older, once both know the same. */
  ageRotations(id: string, seconds: number): Promise<void>;
  /** Takes so many rotations back in Postgres, and all that Redis knows of the session. */
  loseRotations(id: string, count: number): Promise<void>;
  /** What all keys in Redis begin with. */
  readonly keyPrefix: string;
  /** The key of a session's record in Redis. */
  recordKey(id: string): Promise<string>;
  /** What the stores say of a session, for the message of a test that failed: its events, its row, its record. */
  tell(id: string): Promise<string>;
  /** Resolves when Postgres knows all that Redis does of a session. */
  settled(id: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens the stores of a service that was started with this environment. */
export async function openSessionStores(
  databaseUrl: string,
  env: Readonly<Record<string, string>>,
): Promise<SessionStores> {
  const sql = await openSql(databaseUrl);
  // Several clients of a test look into the stores at once.
  const pool = new Pool({
    connectionString: databaseUrl.replace("?sslmode=disable", ""),
    ssl: false,
    max: 4,
  });
  pool.on("error", () => undefined);
  const url = env["REDIS_URL"] ?? "";
  const redis = url === "" ? null : new Redis(url, { maxRetriesPerRequest: 1 });
  redis?.on("error", () => undefined);

  const keyPrefix = env["REDIS_KEY_PREFIX"] ?? "countersign:";
  const recordKey = async (id: string): Promise<string> => {
    const hash = await rows.readHandleHash(pool, id);
    return `${keyPrefix}session:${hash.toString("base64url")}`;
  };

  /** Longer than a session that a killed process left takes to be swept. */
  const settled = async (id: string): Promise<void> => {
    if (redis === null) return;
    const key = await recordKey(id);
    const isSaved = async (): Promise<boolean> => {
      const record = await redis.get(key);
      const { generation, ended } = await rows.readSession(pool, id);
      return record === null || ended || generation >= readRecord(record).generation;
    };
    await eventually(isSaved, 60_000, 20);
  };

  return {
    sql,
    redis,
    keyPrefix,
    recordKey,
    settled,
    async readSession(id) {
      await settled(id);
      return rows.readSession(pool, id);
    },
    async ageRotations(id, seconds) {
      await settled(id);
      await rows.ageRotations(pool, id, seconds);
      if (redis !== null) await ageRecord(redis, await recordKey(id), seconds);
    },
    async tell(id) {
      const events = await readSessionEvents(pool, id);
      const row = await rows.readTimes(pool, id);
      const record = await redis?.get(await recordKey(id));
      return inspect({ events, row, record }, { depth: null });
    },
    async loseRotations(id, count) {
      await settled(id);
      await rows.loseRotations(pool, id, count);
      await redis?.del(await recordKey(id));
    },
    async close() {
      redis?.disconnect();
      await pool.end();
      await sql.end();
    },
  };
}

/** What a record in Redis says, read without the code that writes it. */
export interface SessionRecord {
  readonly generation: bigint;
  readonly keyId: string;
  readonly origin: string;
  /** Milliseconds since the epoch by Redis' clock, the latest last; 0 for none. */
  readonly rotatedAtMs: readonly number[];
}

/** Reads a record. @throws Error where it is none */
export function readRecord(record: string): SessionRecord {
  const match = /^1([0-9a-f]{14})([0-9a-f]{8})([0-9a-f]{16})((?:[0-9a-f]{12}){4})$/.exec(record);
  if (match === null) throw new Error("This is no record of a session.");
  const [, generation = "", keyId = "", origin = "", times = ""] = match;
  const rotatedAtMs = (times.match(/.{12}/g) ?? []).map((time) => Number.parseInt(time, 16));
  return { generation: BigInt(`0x${generation}`), keyId, origin, rotatedAtMs };
}

/** Writes a record. */
export function writeRecord({ generation, keyId, origin, rotatedAtMs }: SessionRecord): string {
  const times = rotatedAtMs.map((time) => time.toString(16).padStart(12, "0"));
  return `1${generation.toString(16).padStart(14, "0")}${keyId}${origin}${times.join("")}`;
}

async function ageRecord(redis: Redis, key: string, seconds: number): Promise<void> {
  const text = await redis.get(key);
  if (text === null) return;
  const record = readRecord(text);
  const rotatedAtMs = record.rotatedAtMs.map((time) => (time === 0 ? 0 : time - seconds * 1000));
  await redis.set(key, writeRecord({ ...record, rotatedAtMs }), "KEEPTTL");
}
