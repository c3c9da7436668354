import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { Redis } from "ioredis";
import { createAudit } from "../../src/domain/audit/audit.ts";
import { createAuditStore } from "../../src/domain/audit/audit-store.ts";
import { createBuiltinClient } from "../../src/domain/client/builtin-client.ts";
import { AppError } from "../../src/errors/app-error.ts";
import { type Events, noEvents } from "../../src/domain/events.ts";
import { createSecretKeys } from "../../src/domain/key/secret-keys.ts";
import {
  createPostgresRotationStore,
  type PostgresRotationStore,
} from "../../src/domain/session/rotation/postgres-rotation-store.ts";
import {
  createRedisRotationStore,
  type RedisRotationStore,
} from "../../src/domain/session/rotation/redis-rotation-store.ts";
import { hashHandle } from "../../src/domain/session/refresh-token.ts";
import { createSessionStore } from "../../src/domain/session/session-store.ts";
import { createSessions, type Sessions } from "../../src/domain/session/sessions.ts";
import { createUnsavedSweep } from "../../src/domain/session/rotation/sweep-unsaved.ts";
import { createWriteBehind, type WriteBehind } from "../../src/domain/session/rotation/write-behind.ts";
import { type UserId, userIds } from "../../src/domain/user/user.ts";
import { parseRedisUrl } from "../../src/lib/redis-url.ts";
import { parseDatabaseUrl } from "../../src/postgres/connection-string.ts";
import { migrate } from "../../src/postgres/migrate.ts";
import { createPool, type Database } from "../../src/postgres/pool.ts";
import { createRedis, type RedisClient } from "../../src/redis/redis.ts";
import { root } from "../_harness/service.ts";
import { readRecord, writeRecord } from "../_harness/session-stores.ts";
import { createSharedDatabase, sharedRedisUrl } from "../_harness/shared-stores.ts";
import { listenTo } from "../domain/listen-to.ts";
import type { Outcome, Route } from "./refresh.ts";
import { graceMs, idleMs } from "./state.ts";

// its own SQL: it has the names that its statements need in the pool.

/** The real stores, for any number of sessions. */
export interface RealStores {
  /** Begins a session. */
  begin(): Promise<RealSession>;
  close(): Promise<void>;
}

/** What the stores say of a session. */
export interface StoredSession {
  readonly generation: bigint;
  readonly lateFrom: bigint;
  readonly ended: boolean;
  /** The generation in Redis; null for no record. */
  readonly inRedis: bigint | null;
}

/** A session in real stores, and one process over them that can be killed. */
export interface RealSession {
  /** Shows the token of a generation that has been answered with. */
  refresh(generation: bigint, route: Route): Promise<Outcome>;
  /** Lets time pass; `isHeld`: while the process has something that PostgreSQL is not told. */
  wait(ms: number, isHeld: boolean): Promise<void>;
  /** The process tells PostgreSQL what it has from Redis. */
  save(): Promise<void>;
  /** Another process brings to PostgreSQL what is written down in Redis as unsaved. */
  sweep(): Promise<void>;
  kill(): Promise<void>;
  forgetRecord(): Promise<void>;
  takeSnapshot(): Promise<void>;
  restoreSnapshot(): Promise<void>;
  read(): Promise<StoredSession>;
}

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const origin = { requestId: "model", clientAddress: "192.0.2.1", userAgent: "model" };
const client = createBuiltinClient([]);

interface Parts {
  readonly db: Database;
  readonly redis: RedisClient;
  readonly control: Redis;
  readonly keyPrefix: string;
}

/** Opens a database and a part of Redis of their own. */
export async function openRealStores(): Promise<RealStores> {
  const database = await createSharedDatabase();
  const db = createPool({
    target: parseDatabaseUrl(database.url),
    statementTimeoutMs: 30_000,
    connectTimeoutMs: 30_000,
    log: silent,
  });
  await migrate(db, { folder: join(root, "src/postgres/migrations"), lockTimeoutMs: 30_000, log: silent });
  const target = parseRedisUrl(sharedRedisUrl());
  if (target === null) throw new Error("The run has no Redis.");
  const keyPrefix = `test-${randomBytes(6).toString("hex")}:`;
  const observer = { onBreaker: () => undefined, onCall: () => undefined };
  const redis = createRedis({ target, caFile: null, keyPrefix, timeoutMs: 30_000, observer });
  await redis.firstConnection(30_000);
  const control = new Redis(sharedRedisUrl());
  const processes: RealProcess[] = [];
  return {
    async begin() {
      const session = await createRealSession({ db, redis, control, keyPrefix }, processes);
      return session;
    },
    async close() {
      for (const { stop } of processes) await stop();
      control.disconnect();
      redis.close();
      await db.end();
      await database.drop();
    },
  };
}

/** A process' memory of what PostgreSQL has not been told. */
interface RealProcess {
  readonly writeBehind: WriteBehind;
  save(): Promise<void>;
  aged(ms: number): void;
  stop(): Promise<void>;
}

/** A write-behind that tells PostgreSQL when it is let, and not by its own timer. */
function startProcess(
  postgresRotations: PostgresRotationStore,
  events: Events,
  handleHash: () => Buffer,
): RealProcess {
  let mode: "held" | "open" | "over" = "held";
  let passedMs = 0;
  const held: PostgresRotationStore = {
    saveRotations(unsaved) {
      if (mode === "held") throw new AppError("unavailable", "PostgreSQL is told later.");
      if (mode === "over") return Promise.resolve({ busy: [], ended: [] });
      return postgresRotations.saveRotations(
        unsaved.map((one) => ({ ...one, readAtMs: one.readAtMs - passedMs })),
      );
    },
  };
  // What is written down as unsaved is as the model has it.
  const inner = createWriteBehind({
    redisRotations: { clearUnsaved: () => Promise.resolve() },
    postgresRotations: held,
    events,
  });
  const save = async (hash: Buffer): Promise<boolean> => {
    mode = "open";
    try {
      return await inner.save(hash);
    } finally {
      mode = "held";
    }
  };
  return {
    writeBehind: { ...inner, save },
    async save() {
      await save(handleHash());
      passedMs = 0;
    },
    aged: (ms) => void (passedMs += ms),
    async stop() {
      mode = "over";
      await inner.stop();
    },
  };
}

async function addUser(db: Database): Promise<UserId> {
  const id = userIds.create();
  await db.query(
    {
      name: "model.add-user",
      text: "insert into users (id, username, username_folded, password_hash) values ($1, $2, $2, '')",
    },
    [id, `model${randomBytes(6).toString("hex")}`],
  );
  return id;
}

async function createRealSession(
  { db, redis, control, keyPrefix }: Parts,
  processes: RealProcess[],
): Promise<RealSession> {
  const redisRotations = createRedisRotationStore(redis, 86_400_000);
  const audit = createAudit({
    db,
    store: createAuditStore(),
    counts: { add: () => undefined },
    events: noEvents,
  });
  const postgresRotations = createPostgresRotationStore(db, {
    graceMs,
    idleTtlSeconds: idleMs / 1000,
    audit: { record: () => Promise.resolve() },
  });
  let decision: Outcome["decision"] = "gone";
  const events = listenTo({ "session.refreshed": (made) => void (decision = made.decision) });
  const secretKeys = createSecretKeys(["a secret for the model, and nothing else"]);
  const hash = (): Buffer => handleHash;
  const start = (): RealProcess => {
    const one = startProcess(postgresRotations, events, hash);
    processes.push(one);
    return one;
  };
  let process = start();
  const open = (parts: Parameters<typeof createSessions>[0]["redis"]): Sessions =>
    createSessions({
      db,
      store: createSessionStore(db),
      users: { countUp: () => Promise.resolve() },
      secretKeys,
      idleTtlSeconds: idleMs / 1000,
      maxTtlSeconds: 86_400 * 90,
      graceMs,
      perUserMax: 100,
      graceBinding: "off",
      lateAnswers: true,
      redis: parts,
      audit,
      forgetElsewhere: () => Promise.resolve(),
      events,
    });
  const losing: RedisRotationStore = {
    ...redisRotations,
    async advance(advance) {
      await redisRotations.advance(advance);
      throw new AppError("unavailable", "The answer of Redis is lost.");
    },
  };
  const routes: Readonly<Record<Route, () => Sessions>> = {
    redis: () => open({ redisRotations, writeBehind: process.writeBehind }),
    postgres: () => open(null),
    both: () => open({ redisRotations: losing, writeBehind: process.writeBehind }),
  };

  const userId = await addUser(db);
  const user = {
    id: userId,
    username: "",
    email: null,
    status: "active",
    roles: [],
    displayName: null,
    locale: null,
    claims: null,
    mustChangePassword: false,
    createdAt: new Date(),
    lastLoginAt: null,
  } as const;
  const begun = await routes
    .postgres()
    .begin({ user, sessionEpoch: "0", amr: ["pwd"], client, scopes: [], origin });
  if (begun === null) throw new Error("The session did not begin.");
  const tokens = new Map([[0n, begun.refreshToken]]);
  const first = routes.postgres().parseToken(begun.refreshToken, client.id);
  if (first === null) throw new Error("The token is none.");
  const handleHash = hashHandle(first.handle);
  const key = `${keyPrefix}session:${handleHash.toString("base64url")}`;
  const shard = `${keyPrefix}unsaved:${handleHash.readUInt8(0) % 16}`;
  let snapshot: string | null = null;
  const sweepUnsaved = createUnsavedSweep({ redisRotations, postgresRotations, events: noEvents });

  const ageRecord = (text: string | null, ms: number): string | null => {
    if (text === null) return null;
    const record = readRecord(text);
    return writeRecord({
      ...record,
      rotatedAtMs: record.rotatedAtMs.map((time) => (time === 0 ? 0 : time - ms)),
    });
  };
  const putRecord = async (text: string | null): Promise<void> => {
    await (text === null ? control.del(key) : control.set(key, text, "PX", 86_400_000));
  };

  return {
    async refresh(generation, route) {
      const sessions = routes[route]();
      const token = sessions.parseToken(tokens.get(generation) ?? "", client.id);
      if (token === null) throw new Error(`No token of generation ${generation} was ever answered with.`);
      decision = "gone";
      const session = await sessions.findByToken(token);
      const answer = session === null ? null : await sessions.refresh(session, null, origin);
      if (answer === null) return { decision, answer: null };
      const answered = sessions.parseToken(answer.refreshToken, client.id);
      if (answered === null) throw new Error("The answer holds no token.");
      tokens.set(answered.generation, answer.refreshToken);
      return { decision, answer: answered.generation };
    },
    async wait(ms, isHeld) {
      await db.query(
        {
          name: "model.age",
          text: `update sessions set
            rotated_at = array(select t - $2::float8 * interval '1 millisecond'
              from unnest(rotated_at) with ordinality as r (t, i) order by i),
            last_used_at = last_used_at - $2::float8 * interval '1 millisecond',
            idle_expires_at = idle_expires_at - $2::float8 * interval '1 millisecond'
            where handle_hash = $1`,
        },
        [handleHash, ms],
      );
      await putRecord(ageRecord(await control.get(key), ms));
      snapshot = ageRecord(snapshot, ms);
      if (isHeld) process.aged(ms);
    },
    save: () => process.save(),
    async sweep() {
      await control.zadd(shard, 1, `${handleHash.toString("base64url")}:killed`);
      await sweepUnsaved();
    },
    kill() {
      process = start();
      return Promise.resolve();
    },
    forgetRecord: () => putRecord(null),
    async takeSnapshot() {
      snapshot = await control.get(key);
    },
    restoreSnapshot: () => putRecord(snapshot),
    async read() {
      const [row] = await db.query<{ generation: string; lateFrom: string; ended: boolean }>(
        {
          name: "model.read",
          text: `select generation::text, late_from::text as "lateFrom", ended_at is not null as ended
            from sessions where handle_hash = $1`,
        },
        [handleHash],
      );
      const text = await control.get(key);
      return {
        generation: BigInt(row?.generation ?? -1),
        lateFrom: BigInt(row?.lateFrom ?? -1),
        ended: row?.ended === true,
        inRedis: text === null ? null : readRecord(text).generation,
      };
    },
  };
}
