import { AppError } from "../errors.ts";
import type { SecretKeys } from "../key/secret-keys.ts";
import type { User } from "../user/user.ts";
import { decideRefresh, type RefreshDecision } from "./decide-refresh.ts";
import { deriveRefreshToken, type ParsedRefreshToken } from "./refresh-token.ts";
import type { SessionId } from "./session.ts";
import type { IssueTimes, RefreshableSession, SessionStore } from "./session-store.ts";

/** What tokens are issued from: a session with its user, and the refresh token to answer with. */
export interface IssuableSession extends IssueTimes {
  readonly id: SessionId;
  readonly user: User;
  readonly scopes: readonly string[];
  readonly refreshToken: string;
}

/** A live session that a genuine refresh token was shown for. Nothing has changed yet. */
export interface PresentedSession extends RefreshableSession {
  readonly handleHash: Buffer;
  readonly presented: ParsedRefreshToken;
}

/** What is told of refreshes that are out of the ordinary. */
export interface SessionEvents {
  /** A token was used again after its grace; its session has ended. */
  onReuse(session: { readonly id: SessionId; readonly userId: string }): void;
  /** A token was newer than the store knew: the store has lost a write. */
  onCatchUp(session: { readonly id: SessionId; readonly userId: string }): void;
}

/** What a refresh is made of; see SessionsDeps. */
export interface RefreshSessionDeps {
  readonly store: Pick<SessionStore, "rotate" | "endByHandle">;
  readonly secretKeys: SecretKeys;
  readonly idleTtlSeconds: number;
  readonly events: SessionEvents;
}

/**
 * Moves a session on to its next refresh token, or answers again with the current one.
 *
 * @param graceMs how long a refresh token is good for after it was rotated out
 */
export type RefreshSession = (session: PresentedSession, graceMs: number) => Promise<IssuableSession | null>;

/** What a refresh of a session would come to now. */
export function decide(session: PresentedSession, graceMs: number): RefreshDecision {
  const { presented, generation, rotationAgesMs } = session;
  return decideRefresh(presented.generation, generation, rotationAgesMs, graceMs);
}

/** Each attempt loses against a rotation by somebody else, and then finds itself in that one's grace. */
const attemptsMax = 8;

/** @param findByHandle finds a session as it is now */
export function createRefreshSession(
  deps: RefreshSessionDeps,
  findByHandle: (presented: ParsedRefreshToken) => Promise<PresentedSession | null>,
): RefreshSession {
  const { store, secretKeys } = deps;

  const tokenOf = (session: PresentedSession, generation: bigint, keyId: string): string | null => {
    const key = secretKeys.find(keyId);
    const { handle } = session.presented;
    return key === null ? null : deriveRefreshToken(key, { handle, clientId: session.clientId, generation });
  };

  const issuable = (
    session: PresentedSession,
    times: IssueTimes,
    token: string | null,
  ): IssuableSession | null => {
    const { id, user, scopes } = session;
    return token === null ? null : { ...times, id, user, scopes, refreshToken: token };
  };

  const endForReuse = async (session: PresentedSession): Promise<null> => {
    await store.endByHandle(session.handleHash);
    deps.events.onReuse({ id: session.id, userId: session.user.id });
    return null;
  };

  /** Moves the counter on; null where somebody else was faster, or the session has ended. */
  const rotate = async (session: PresentedSession): Promise<IssuableSession | null> => {
    const { handleHash, generation: from, presented } = session;
    const secretKeyId = secretKeys.current.id;
    const next = presented.generation + 1n;
    const rotation = {
      handleHash,
      from,
      steps: next - from,
      secretKeyId,
      idleTtlSeconds: deps.idleTtlSeconds,
    };
    const times = await store.rotate(rotation);
    return times === null ? null : issuable(session, times, tokenOf(session, next, secretKeyId));
  };

  const attempt = async (
    session: PresentedSession,
    graceMs: number,
  ): Promise<IssuableSession | "again" | null> => {
    switch (decide(session, graceMs)) {
      case "replay":
        return issuable(session, session, tokenOf(session, session.generation, session.secretKeyId));
      case "reuse":
        return endForReuse(session);
      case "catch_up":
        deps.events.onCatchUp({ id: session.id, userId: session.user.id });
        return (await rotate(session)) ?? "again";
      case "rotate":
        return (await rotate(session)) ?? "again";
    }
  };

  return async (presentedSession, graceMs) => {
    let session: PresentedSession | null = presentedSession;
    for (let count = 0; session !== null && count < attemptsMax; count += 1) {
      const outcome = await attempt(session, graceMs);
      if (outcome !== "again") return outcome;
      session = await findByHandle(session.presented);
    }
    if (session === null) return null;
    throw new AppError("unavailable", "The session is being refreshed. Try again.", { retryAfterMs: 1000 });
  };
}
