import { AppError } from "../../../errors/app-error.ts";
import { decideRefresh, type RefreshDecision } from "./decide-refresh.ts";
import type { Line } from "./line.ts";
import type { Advanced, LineStore } from "./line-store.ts";
import type { ParsedRefreshToken } from "../refresh-token.ts";
import type { IssueTimes, RefreshableSession, SessionStore } from "../session-store.ts";
import type { WriteBehind } from "./write-behind.ts";

/** A live session that a genuine refresh token was shown for. Nothing has changed yet. */
export interface PresentedSession extends RefreshableSession {
  readonly handleHash: Buffer;
  readonly presented: ParsedRefreshToken;
}

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
export interface AdvancedSession extends Advanced {
  /** When what is issued now was issued, and ends. */
  readonly times: IssueTimes;
  /** Who has decided. */
  readonly store: "redis" | "postgres";
}

/** Decides what a refresh token means and moves the session's counter on; null where the session has ended. */
export type AdvanceSession = (
  session: PresentedSession,
  options: AdvanceOptions,
) => Promise<AdvancedSession | null>;

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
 * @returns a function that throws AppError unavailable where Redis does not answer; whether the counter has
 *   moved is not known then
 */
export function createRedisAdvance(deps: {
  readonly lines: Pick<LineStore, "advance">;
  readonly writeBehind: Pick<WriteBehind, "track" | "save">;
  readonly idleTtlSeconds: number;
}): (session: PresentedSession, options: AdvanceOptions) => Promise<AdvancedSession> {
  const { lines, writeBehind, idleTtlSeconds } = deps;
  return async (session, options) => {
    const { handleHash, presented } = session;
    const advanced = await writeBehind.track(handleHash, () =>
      lines.advance({
        ...options,
        handleHash,
        presented: presented.generation,
        floor: session,
        lateFrom: lateFromOf(session, options),
      }),
    );
    if (!movesOn(advanced.decision)) return { ...advanced, times: session, store: "redis" };
    const expiresAt = Math.min(session.endsAt, session.issuedAt + idleTtlSeconds);
    if (expiresAt - session.expiresAt > idleTtlSeconds / 2) await writeBehind.save(handleHash);
    return { ...advanced, times: { ...session, expiresAt }, store: "redis" };
  };
}

/** Each attempt loses against a rotation by somebody else, and then finds itself in that one's grace. */
const attemptsMax = 8;

/**
 * Lets Postgres decide: of all that rotate one token, one finds the row as the decision was made on it.
 *
 * @param deps `find`: finds a session as it is now
 * @returns a function that throws AppError unavailable
 */
export function createPostgresAdvance(deps: {
  readonly store: Pick<SessionStore, "rotate">;
  readonly idleTtlSeconds: number;
  find(presented: ParsedRefreshToken): Promise<PresentedSession | null>;
}): AdvanceSession {
  /** Moves the counter on; null where somebody else was faster, or the session has ended. */
  const rotate = async (
    session: PresentedSession,
    { secretKeyId, origin }: AdvanceOptions,
  ): Promise<{ readonly line: Line; readonly times: IssueTimes } | null> => {
    const { handleHash, generation: from, presented } = session;
    const generation = presented.generation + 1n;
    const times = await deps.store.rotate({
      handleHash,
      from,
      steps: generation - from,
      secretKeyId,
      origin,
      idleTtlSeconds: deps.idleTtlSeconds,
    });
    const line = { ...session, generation, secretKeyId, rotationOrigin: origin };
    return times === null ? null : { line, times };
  };

  return async (presentedSession, options) => {
    let session: PresentedSession | null = presentedSession;
    for (let count = 0; session !== null && count < attemptsMax; count += 1) {
      const decision = decide(session, options);
      if (!movesOn(decision)) return { decision, line: session, times: session, store: "postgres" };
      const rotated = await rotate(session, options);
      if (rotated !== null) return { decision, ...rotated, store: "postgres" };
      session = await deps.find(session.presented);
    }
    if (session === null) return null;
    throw new AppError("unavailable", "The session is being refreshed. Try again.", { retryAfterMs: 1000 });
  };
}

/** Whether the counter moves. */
function movesOn(decision: Advanced["decision"]): boolean {
  return decision === "rotate" || decision === "catch_up";
}
