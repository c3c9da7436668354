import { AppError } from "../../../errors/app-error.ts";
import type { ParsedRefreshToken } from "../refresh-token.ts";
import type { Events } from "../../events.ts";
import type { IssueTimes, LiveSession, SessionStore } from "../session-store.ts";
import { decideRefresh, movesOn, type RefreshDecision } from "./decide-refresh.ts";
import type { AdvanceResult, RedisRotationStore } from "./redis-rotation-store.ts";
import type { RotationState } from "./rotation-state.ts";
import type { WriteBehind } from "./write-behind.ts";

/** A live session that a genuine refresh token was shown for. Nothing has changed yet. */
export interface PresentedSession extends LiveSession {
  readonly handleHash: Buffer;
  readonly presented: ParsedRefreshToken;
}

/** Finds the session of a genuine refresh token as it is now; null where it does not live. */
export type FindPresented = (presented: ParsedRefreshToken) => Promise<PresentedSession | null>;

/** What a refresh token that was rotated out is still good for. */
export interface ReplayRule {
  /** How long it is answered; 0 for not at all. */
  readonly graceMs: number;
  /** Whether there are late answers. */
  readonly lateAnswers: boolean;
}

/** How a refresh is made. */
export interface AdvanceOptions extends ReplayRule {
  /** The secret key that a rotation is made under. */
  readonly secretKeyId: string;
  /** Where the caller is; see hashOrigin. */
  readonly origin: string;
}

/** What a refresh came to. */
export interface RefreshResult extends AdvanceResult {
  /** When what is issued now was issued, and ends. */
  readonly times: IssueTimes;
  /** Who has decided. */
  readonly store: "redis" | "postgres";
}

/** Redis, where there is one: the rotations in it, and what saves them in Postgres. */
export interface RedisParts {
  readonly redisRotations: Pick<RedisRotationStore, "advance">;
  readonly writeBehind: Pick<WriteBehind, "track" | "save">;
}

/** What a refresh is decided with; see SessionsDeps. */
export interface AdvanceDeps {
  readonly store: Pick<SessionStore, "rotate">;
  readonly redis: RedisParts | null;
  readonly idleTtlSeconds: number;
  readonly events: Events;
}

/**
 * Decides what a refresh token means and moves the session's counter on; null where the session has ended. Throws
 * AppError unavailable.
 */
export type AdvanceSession = (
  session: PresentedSession,
  options: AdvanceOptions,
) => Promise<RefreshResult | null>;

/**
 * Redis decides where it can, and Postgres where it cannot. Without a grace a token is good for once, which
 * only a durable write can promise: Postgres alone decides then.
 */
export function createAdvanceSession(deps: AdvanceDeps, find: FindPresented): AdvanceSession {
  const { redis, events } = deps;
  return async (session, options) => {
    if (redis === null) return advanceInPostgres(deps, find, session, options);
    if (options.graceMs > 0) {
      try {
        return await advanceInRedis(redis, deps.idleTtlSeconds, session, options);
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        events.emit("session.fell_back", null);
      }
    }
    // What this process has from Redis is not to look like a loss.
    const isSaved = await redis.writeBehind.save(session.handleHash);
    const found = isSaved ? await find(session.presented) : session;
    return found === null ? null : advanceInPostgres(deps, find, found, options);
  };
}

/** What a refresh of a session would come to now, by what Postgres knows. */
export function decide(session: PresentedSession, rule: ReplayRule): RefreshDecision {
  const { presented, generation, rotationAgesMs } = session;
  return decideRefresh(
    presented.generation,
    generation,
    rotationAgesMs,
    rule.graceMs,
    lateFromOf(session, rule),
  );
}

function lateFromOf({ lateFrom }: PresentedSession, { lateAnswers }: ReplayRule): bigint | null {
  return lateAnswers ? lateFrom : null;
}

/**
 * Lets Redis decide. Postgres follows behind the answer, except where it would let the session end long
 * before its time if it never did: then the answer waits for it.
 *
 * @throws AppError unavailable where Redis does not answer; whether the counter has moved is not known then
 */
async function advanceInRedis(
  { redisRotations, writeBehind }: RedisParts,
  idleTtlSeconds: number,
  session: PresentedSession,
  options: AdvanceOptions,
): Promise<RefreshResult> {
  const { handleHash, presented } = session;
  const advanced = await writeBehind.track(handleHash, () =>
    redisRotations.advance({
      ...options,
      handleHash,
      presented: presented.generation,
      inPostgres: session,
      lateFrom: lateFromOf(session, options),
    }),
  );
  if (!movesOn(advanced.decision)) return { ...advanced, times: session, store: "redis" };
  const expiresAt = Math.min(session.endsAt, session.issuedAt + idleTtlSeconds);
  if (expiresAt - session.expiresAt > idleTtlSeconds / 2) await writeBehind.save(handleHash);
  return { ...advanced, times: { ...session, expiresAt }, store: "redis" };
}

/** Each attempt loses against a rotation by somebody else, and then finds itself in that one's grace. */
const attemptsMax = 8;

/** Lets Postgres decide: of all that rotate one token, one finds the row as the decision was made on it. */
async function advanceInPostgres(
  deps: AdvanceDeps,
  find: FindPresented,
  presentedSession: PresentedSession,
  options: AdvanceOptions,
): Promise<RefreshResult | null> {
  let session: PresentedSession | null = presentedSession;
  for (let count = 0; session !== null && count < attemptsMax; count += 1) {
    const decision = decide(session, options);
    if (!movesOn(decision)) return { decision, state: session, times: session, store: "postgres" };
    const rotated = await rotateInPostgres(deps, session, options);
    if (rotated !== null) return { decision, ...rotated, store: "postgres" };
    session = await find(session.presented);
  }
  if (session === null) return null;
  throw new AppError("unavailable", "The session is being refreshed. Try again.", { retryAfterMs: 1000 });
}

/** Moves the counter on; null where somebody else was faster, or the session has ended. */
async function rotateInPostgres(
  { store, idleTtlSeconds }: AdvanceDeps,
  session: PresentedSession,
  { secretKeyId, origin }: AdvanceOptions,
): Promise<{ readonly state: RotationState; readonly times: IssueTimes } | null> {
  const { handleHash, generation: from, presented } = session;
  const generation = presented.generation + 1n;
  const steps = generation - from;
  const times = await store.rotate({ handleHash, from, steps, secretKeyId, origin, idleTtlSeconds });
  const state = { ...session, generation, secretKeyId, rotationOrigin: origin };
  return times === null ? null : { state, times };
}

function isUnavailable(error: unknown): boolean {
  return error instanceof AppError && error.reason === "unavailable";
}
