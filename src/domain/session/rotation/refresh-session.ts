import type { Database } from "../../../postgres/pool.ts";
import type { Audit } from "../../audit/audit.ts";
import type { AuditEventType } from "../../audit/audit-event.ts";
import type { Events } from "../../events.ts";
import type { SecretKeys } from "../../key/secret-keys.ts";
import type { TokenUser } from "../../user/user.ts";
import {
  type AdvanceDeps,
  createAdvanceSession,
  type FindPresented,
  type PresentedSession,
  type RefreshResult,
} from "./advance-session.ts";
import { hashOrigin } from "./hash-origin.ts";
import { createLateAnswers } from "./late-answers.ts";
import { deriveRefreshToken } from "../refresh-token.ts";
import type { AuthMethod, Origin, SessionId } from "../session.ts";
import type { IssueTimes, SessionStore } from "../session-store.ts";

/** What tokens are issued from: a session with its user, and the refresh token to answer with. */
export interface IssuedSession extends IssueTimes {
  readonly id: SessionId;
  readonly user: TokenUser;
  readonly scopes: readonly string[];
  /** How the user has proved who it is. */
  readonly amr: readonly AuthMethod[];
  readonly refreshToken: string;
}

/** What a refresh is made of; see SessionsDeps. */
export interface RefreshSessionDeps extends AdvanceDeps {
  readonly db: Pick<Database, "query" | "transaction">;
  readonly store: Pick<SessionStore, "rotate" | "limitLate">;
  readonly secretKeys: SecretKeys;
  readonly graceBinding: "off" | "address";
  /** Whether a token whose successor was never shown is answered once when its grace is over. */
  readonly lateAnswers: boolean;
  readonly audit: Audit;
  readonly events: Events;
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
) => Promise<IssuedSession | null>;

/**
 * @param sessions `find`: finds a session as it is now; `endReused`: ends one for good, and writes the
 *   event down with it
 */
export function createRefreshSession(
  deps: RefreshSessionDeps,
  sessions: {
    readonly find: FindPresented;
    readonly endReused: (
      session: PresentedSession,
      reason: "reused" | "diverged",
      origin: Origin,
    ) => Promise<void>;
  },
): RefreshSession {
  const { secretKeys, audit, events, lateAnswers } = deps;
  const advance = createAdvanceSession(deps, sessions.find);
  const late = createLateAnswers({ ...deps, find: sessions.find });

  const eventOf = (type: AuditEventType, { id, clientId, user }: PresentedSession, origin: Origin) =>
    ({ type, actor: { kind: "anonymous" }, userId: user.id, sessionId: id, clientId, origin }) as const;

  /** A token that was rotated out is shown from elsewhere than it was rotated from. */
  const isElsewhere = (
    { presented }: PresentedSession,
    { state: { generation, secretKeyId, rotationOrigin } }: RefreshResult,
    origin: Origin,
  ): boolean => {
    const key = secretKeys.find(secretKeyId);
    if (key === null || rotationOrigin === null || presented.generation >= generation) return false;
    return hashOrigin(key, origin) !== rotationOrigin;
  };

  /** Whether a replay is answered. */
  const admitReplay = (session: PresentedSession, advanced: RefreshResult, origin: Origin): boolean => {
    if (!isElsewhere(session, advanced, origin)) return true;
    const refused = deps.graceBinding === "address";
    events.emit("session.replayed_elsewhere", refused ? "refused" : "answered");
    const reason = refused ? "refused" : undefined;
    audit.recordCounted({ ...eventOf("refresh.replayed_elsewhere", session, origin), reason }, session.id);
    return !refused;
  };

  /** Answers late, or ends the session where the answer is bound to a place and this is another. */
  const answerLate = async (
    session: PresentedSession,
    advanced: RefreshResult,
    origin: Origin,
  ): Promise<IssuedSession | null> => {
    const elsewhere = isElsewhere(session, advanced, origin);
    if (elsewhere && deps.graceBinding === "address") {
      await sessions.endReused(session, "reused", origin);
      return null;
    }
    const reason = elsewhere ? "elsewhere" : undefined;
    const event = { ...eventOf("refresh.late_answer", session, origin), reason };
    const isAnswered = await late.take(session, advanced.state.generation, event);
    return isAnswered ? issue(session, advanced) : null;
  };

  const issue = (session: PresentedSession, advanced: RefreshResult) =>
    issuedFrom(session, advanced, secretKeys);

  return async (session, graceMs, origin) => {
    const { current } = secretKeys;
    const options = { graceMs, lateAnswers, secretKeyId: current.id, origin: hashOrigin(current, origin) };
    const advanced = await advance(session, options);
    if (advanced === null) return null;
    events.emit("session.refreshed", { decision: advanced.decision, store: advanced.store });
    switch (advanced.decision) {
      case "rotate":
        return issue(session, advanced);
      case "catch_up":
        events.emit("session.caught_up", { id: session.id, userId: session.user.id });
        await audit.recordAlone(eventOf("refresh.caught_up", session, origin));
        return issue(session, advanced);
      case "replay":
        if (lateAnswers && isCurrent(session, advanced)) {
          await late.noteShown(session, advanced.state.generation);
        }
        return admitReplay(session, advanced, origin) ? issue(session, advanced) : null;
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

/** The session with its current refresh token; null where the secret key of that token was dropped. */
function issuedFrom(
  session: PresentedSession,
  { state, times }: RefreshResult,
  secretKeys: SecretKeys,
): IssuedSession | null {
  const key = secretKeys.find(state.secretKeyId);
  if (key === null) return null;
  const { id, user, scopes, amr, clientId, presented } = session;
  const { generation } = state;
  const refreshToken = deriveRefreshToken(key, { handle: presented.handle, clientId, generation });
  const { issuedAt, authTime, expiresAt } = times;
  return { issuedAt, authTime, expiresAt, id, user, scopes, amr, refreshToken };
}

/** Whether the current token was shown, and not one that was rotated out. */
function isCurrent({ presented }: PresentedSession, { state }: RefreshResult): boolean {
  return presented.generation === state.generation;
}
