import { AppError } from "../../../errors/app-error.ts";
import type { Database } from "../../../postgres/pool.ts";
import type { Audit } from "../../audit/audit.ts";
import type { AuditEventType } from "../../audit/audit-event.ts";
import type { SecretKeys } from "../../key/secret-keys.ts";
import type { User } from "../../user/user.ts";
import {
  type AdvancedSession,
  type AdvanceSession,
  createPostgresAdvance,
  createRedisAdvance,
  type PresentedSession,
} from "./advance-session.ts";
import { hashOrigin } from "./hash-origin.ts";
import { createLateAnswers } from "./late-answers.ts";
import type { LineStore } from "./line-store.ts";
import { deriveRefreshToken, type ParsedRefreshToken } from "../refresh-token.ts";
import type { Origin, SessionId } from "../session.ts";
import type { SessionObserver } from "../session-observer.ts";
import type { IssueTimes, SessionStore } from "../session-store.ts";
import type { WriteBehind } from "./write-behind.ts";

/** What tokens are issued from: a session with its user, and the refresh token to answer with. */
export interface IssuableSession extends IssueTimes {
  readonly id: SessionId;
  readonly user: User;
  readonly scopes: readonly string[];
  readonly refreshToken: string;
}

/** Redis, where there is one: the lines in it, and what brings them to Postgres. */
export interface RedisLines {
  readonly lines: LineStore;
  readonly writeBehind: WriteBehind;
}

/** What a refresh is made of; see SessionsDeps. */
export interface RefreshSessionDeps {
  readonly db: Pick<Database, "query" | "transaction">;
  readonly store: Pick<SessionStore, "rotate" | "limitLate">;
  readonly redis: RedisLines | null;
  readonly secretKeys: SecretKeys;
  readonly idleTtlSeconds: number;
  readonly graceBinding: "off" | "address";
  /** Whether a token whose successor was never shown is answered once when its grace is over. */
  readonly lateAnswers: boolean;
  readonly audit: Audit;
  readonly observer: SessionObserver;
}

/**
 * Moves a session on to its next refresh token, or answers again with the current one.
 *
 * @param graceMs how long a refresh token is good for after it was rotated out
 */
export type RefreshSession = (
  session: PresentedSession,
  graceMs: number,
  origin: Origin,
) => Promise<IssuableSession | null>;

/**
 * @param sessions `find`: finds a session as it is now; `endReused`: ends one for good, and writes the
 *   event down with it
 */
export function createRefreshSession(
  deps: RefreshSessionDeps,
  sessions: {
    readonly find: (presented: ParsedRefreshToken) => Promise<PresentedSession | null>;
    readonly endReused: (
      session: PresentedSession,
      reason: "reused" | "diverged",
      origin: Origin,
    ) => Promise<void>;
  },
): RefreshSession {
  const { secretKeys, audit, observer, lateAnswers } = deps;
  const advance = createAdvance(deps, sessions.find);
  const late = createLateAnswers({ ...deps, find: sessions.find });

  const eventOf = (type: AuditEventType, { id, clientId, user }: PresentedSession, origin: Origin) =>
    ({ type, actor: { kind: "anonymous" }, userId: user.id, sessionId: id, clientId, origin }) as const;

  /** A token that was rotated out is shown from elsewhere than it was rotated from. */
  const isElsewhere = (
    { presented }: PresentedSession,
    { line }: AdvancedSession,
    origin: Origin,
  ): boolean => {
    const key = secretKeys.find(line.secretKeyId);
    if (key === null || line.rotationOrigin === null || presented.generation >= line.generation) return false;
    return hashOrigin(key, origin) !== line.rotationOrigin;
  };

  /** Whether a replay is answered. */
  const admitReplay = (session: PresentedSession, advanced: AdvancedSession, origin: Origin): boolean => {
    if (!isElsewhere(session, advanced, origin)) return true;
    const refused = deps.graceBinding === "address";
    observer.onReplayElsewhere(refused);
    const reason = refused ? "refused" : undefined;
    audit.recordCounted({ ...eventOf("refresh.replayed_elsewhere", session, origin), reason }, session.id);
    return !refused;
  };

  /** Answers late, or ends the session where the answer is bound to a place and this is another. */
  const answerLate = async (
    session: PresentedSession,
    advanced: AdvancedSession,
    origin: Origin,
  ): Promise<IssuableSession | null> => {
    const elsewhere = isElsewhere(session, advanced, origin);
    if (elsewhere && deps.graceBinding === "address") {
      await sessions.endReused(session, "reused", origin);
      return null;
    }
    const reason = elsewhere ? "elsewhere" : undefined;
    const event = { ...eventOf("refresh.late_answer", session, origin), reason };
    const isAnswered = await late.take(session, advanced.line.generation, event);
    return isAnswered ? issuable(session, advanced) : null;
  };

  const issuable = (session: PresentedSession, advanced: AdvancedSession) =>
    issuableOf(session, advanced, secretKeys);

  return async (session, graceMs, origin) => {
    const { current } = secretKeys;
    const options = { graceMs, lateAnswers, secretKeyId: current.id, origin: hashOrigin(current, origin) };
    const advanced = await advance(session, options);
    if (advanced === null) return null;
    observer.onRefresh(advanced.decision, advanced.store);
    switch (advanced.decision) {
      case "rotate":
        return issuable(session, advanced);
      case "catch_up":
        observer.onCatchUp({ id: session.id, userId: session.user.id });
        await audit.recordAlone(eventOf("refresh.caught_up", session, origin));
        return issuable(session, advanced);
      case "replay":
        if (lateAnswers && isCurrent(session, advanced)) {
          await late.noteShown(session, advanced.line.generation);
        }
        return admitReplay(session, advanced, origin) ? issuable(session, advanced) : null;
      case "late":
        return answerLate(session, advanced, origin);
      case "reuse":
        await sessions.endReused(session, "reused", origin);
        return null;
      case "diverged":
        await sessions.endReused(session, "diverged", origin);
        return null;
    }
  };
}

/** What tokens are issued from; null where the key of the current one was dropped. */
function issuableOf(
  session: PresentedSession,
  { line, times }: AdvancedSession,
  secretKeys: SecretKeys,
): IssuableSession | null {
  const key = secretKeys.find(line.secretKeyId);
  if (key === null) return null;
  const { id, user, scopes, clientId, presented } = session;
  const { generation } = line;
  const refreshToken = deriveRefreshToken(key, { handle: presented.handle, clientId, generation });
  const { issuedAt, authTime, expiresAt } = times;
  return { issuedAt, authTime, expiresAt, id, user, scopes, refreshToken };
}

/**
 * Redis decides where it can, and Postgres where it cannot. Without a grace a token is good for once, which
 * only a durable write can promise: Postgres alone decides then.
 */
function createAdvance(
  { redis, store, idleTtlSeconds, observer }: RefreshSessionDeps,
  find: (presented: ParsedRefreshToken) => Promise<PresentedSession | null>,
): AdvanceSession {
  const inPostgres = createPostgresAdvance({ store, idleTtlSeconds, find });
  if (redis === null) return inPostgres;
  const inRedis = createRedisAdvance({ ...redis, idleTtlSeconds });
  return async (session, options) => {
    if (options.graceMs > 0) {
      try {
        return await inRedis(session, options);
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        observer.onFallback();
      }
    }
    // What this process has from Redis is not to look like a loss.
    const found = (await redis.writeBehind.save(session.handleHash))
      ? await find(session.presented)
      : session;
    return found === null ? null : inPostgres(found, options);
  };
}

/** Whether the current token was shown, and not one that was rotated out. */
function isCurrent({ presented }: PresentedSession, { line }: AdvancedSession): boolean {
  return presented.generation === line.generation;
}

function isUnavailable(error: unknown): boolean {
  return error instanceof AppError && error.reason === "unavailable";
}
