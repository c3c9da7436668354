import type { Config } from "../config/config.ts";
import type { Events } from "../domain/events.ts";
import type { Audit } from "../domain/audit/audit.ts";
import type { SecretKeys } from "../domain/key/secret-keys.ts";
import {
  createPostgresRotationStore,
  type PostgresRotationStore,
} from "../domain/session/rotation/postgres-rotation-store.ts";
import {
  createRedisRotationStore,
  type RedisRotationStore,
} from "../domain/session/rotation/redis-rotation-store.ts";
import { createSessions, type Sessions, type SessionsDeps } from "../domain/session/sessions.ts";
import type { SessionStore } from "../domain/session/session-store.ts";
import { createUnsavedSweep } from "../domain/session/rotation/sweep-unsaved.ts";
import { createWriteBehind, type WriteBehind } from "../domain/session/rotation/write-behind.ts";
import { wholeSeconds } from "../lib/whole-seconds.ts";
import { runApart } from "../lib/work.ts";
import type { Database } from "../postgres/pool.ts";
import type { RedisClient } from "../redis/redis.ts";

/** The sessions, with their periodic work. */
export interface KeptSessions {
  readonly sessions: Sessions;
  /** What Redis alone knows of sessions; null where there is no Redis. */
  readonly unsaved: {
    /** Finds what killed processes left in Redis, and brings it to Postgres. @throws AppError unavailable */
    sweep(): Promise<void>;
    /** Brings everything that this process keeps to Postgres, and then no more. */
    saveAll(): Promise<void>;
  } | null;
}

interface InRedis {
  readonly redisRotations: RedisRotationStore;
  readonly postgresRotations: PostgresRotationStore;
  readonly writeBehind: WriteBehind;
}

/** What sessions are built on. */
export interface SessionParts {
  readonly db: Database;
  readonly store: SessionStore;
  readonly users: SessionsDeps["users"];
  /** Null where Postgres alone decides. */
  readonly redis: RedisClient | null;
  readonly secretKeys: SecretKeys;
  readonly audit: Audit;
  readonly forgetElsewhere: SessionsDeps["forgetElsewhere"];
  readonly events: Events;
}

/** A record is of use until Postgres knows what it says: for as long as Postgres may be away. */
const recordTtlMaxMs = 86_400_000;

/** Builds the sessions on their stores. */
export function buildSessions(config: Config, parts: SessionParts): KeptSessions {
  const { events } = parts;
  const inRedis = createInRedis(config, parts);
  const sessions = createSessions({
    db: parts.db,
    store: parts.store,
    users: parts.users,
    secretKeys: parts.secretKeys,
    idleTtlSeconds: wholeSeconds(config.sessionIdleTtlMs),
    maxTtlSeconds: wholeSeconds(config.sessionMaxTtlMs),
    graceMs: config.refreshGraceMs,
    graceBinding: config.refreshGraceBinding,
    lateAnswers: config.refreshLateAnswers,
    perUserMax: config.sessionsPerUserMax,
    redis: inRedis,
    audit: parts.audit,
    forgetElsewhere: parts.forgetElsewhere,
    events,
  });
  if (inRedis === null) return { sessions, unsaved: null };
  const sweep = createUnsavedSweep({ ...inRedis, events });
  return { sessions, unsaved: { sweep, saveAll: () => inRedis.writeBehind.stop() } };
}

function createInRedis(config: Config, parts: SessionParts): InRedis | null {
  if (parts.redis === null) return null;
  const redisRotations = createRedisRotationStore(
    parts.redis,
    Math.min(config.sessionIdleTtlMs, recordTtlMaxMs),
  );
  const store = createPostgresRotationStore(parts.db, {
    graceMs: config.refreshGraceMs,
    idleTtlSeconds: wholeSeconds(config.sessionIdleTtlMs),
    audit: parts.audit,
  });
  // What a refresh sets off must not be part of it, nor take its time.
  const postgresRotations: PostgresRotationStore = {
    saveRotations: (unsaved) => runApart(() => store.saveRotations(unsaved)),
  };
  const writeBehind = createWriteBehind({
    redisRotations,
    postgresRotations,
    events: parts.events,
  });
  return { redisRotations, postgresRotations, writeBehind };
}
