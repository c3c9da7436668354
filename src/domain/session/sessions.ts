import type { Client } from "../client/client.ts";
import { AppError } from "../errors.ts";
import type { SecretKeys } from "../key/secret-keys.ts";
import type { User } from "../user/user.ts";
import { decideRefresh } from "./decide-refresh.ts";
import {
  createHandle,
  deriveRefreshToken,
  hashHandle,
  type ParsedRefreshToken,
  parseRefreshToken,
} from "./refresh-token.ts";
import { type Origin, type Session, type SessionId, sessionIds } from "./session.ts";
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

/** The sessions. */
export interface Sessions {
  /**
   * Begins a session.
   *
   * @param start `sessionEpoch`: the user's counter as it was read before the password was checked
   * @returns null where the user's counter or status has changed since
   */
  begin(start: {
    readonly user: User;
    readonly sessionEpoch: string;
    readonly client: Client;
    readonly scopes: readonly string[];
    readonly origin: Origin;
  }): Promise<IssuableSession | null>;
  /**
   * The live session of a refresh token. A token that was not made for this client is refused without
   * asking the store.
   */
  findByToken(token: string, clientId: string): Promise<PresentedSession | null>;
  /**
   * Moves a session on to its next refresh token, or answers again with the current one (see
   * decideRefresh). A token that is used again after its grace ends the session.
   *
   * @returns null where the session is not, or no longer, to be refreshed
   * @throws AppError unavailable
   */
  refresh(session: PresentedSession): Promise<IssuableSession | null>;
  /** Ends the session of a genuine refresh token of any generation; false for any other text. */
  endByToken(token: string, clientId: string): Promise<boolean>;
  /** The user of a session, where both live now. */
  findLiveUser(sessionId: string, userId: string): Promise<User | null>;
  /** A user's live sessions, the newest first. */
  list(userId: string): Promise<Session[]>;
  /** Ends one of a user's live sessions; false where there is no such one. */
  end(userId: string, sessionId: string): Promise<boolean>;
  /** Ends all of a user's sessions, and those of logins that are under way. */
  endAll(userId: string): Promise<void>;
  /** Deletes the rows of sessions that are long dead, in small batches. */
  sweep(): Promise<void>;
}

/** What the sessions are made of. */
export interface SessionsDeps {
  readonly store: SessionStore;
  readonly secretKeys: SecretKeys;
  readonly idleTtlSeconds: number;
  readonly maxTtlSeconds: number;
  /** How long a refresh token is good for after it was rotated out; 0 for not at all. */
  readonly graceMs: number;
  /** Live sessions that a user may have; the oldest ends beyond. */
  readonly perUserMax: number;
  readonly events: SessionEvents;
}

/** Each attempt loses against a rotation by somebody else, and then finds itself in that one's grace. */
const attemptsMax = 8;

/** Dead sessions are kept for a day, for whoever looks into what happened. */
const keptDeadSeconds = 86_400;
const sweepBatch = 500;

/** Builds the sessions on their store. */
export function createSessions(deps: SessionsDeps): Sessions {
  const { store, secretKeys } = deps;

  const findByHandle = async (presented: ParsedRefreshToken): Promise<PresentedSession | null> => {
    const handleHash = hashHandle(presented.handle);
    const found = await store.findForRefresh(handleHash);
    return found === null ? null : { ...found, handleHash, presented };
  };

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

  const attempt = async (session: PresentedSession): Promise<IssuableSession | "again" | null> => {
    const { presented, generation, rotationAgesMs } = session;
    switch (decideRefresh(presented.generation, generation, rotationAgesMs, deps.graceMs)) {
      case "replay":
        return issuable(session, session, tokenOf(session, generation, session.secretKeyId));
      case "reuse":
        return endForReuse(session);
      case "catch_up":
        deps.events.onCatchUp({ id: session.id, userId: session.user.id });
        return (await rotate(session)) ?? "again";
      case "rotate":
        return (await rotate(session)) ?? "again";
    }
  };

  return {
    async begin({ user, sessionEpoch, client, scopes, origin }) {
      const id = sessionIds.create();
      const handle = createHandle();
      const key = secretKeys.current;
      const times = await store.begin({
        handleHash: hashHandle(handle),
        id,
        userId: user.id,
        sessionEpoch,
        clientId: client.id,
        scopes,
        secretKeyId: key.id,
        idleTtlSeconds: deps.idleTtlSeconds,
        maxTtlSeconds: deps.maxTtlSeconds,
        perUserMax: deps.perUserMax,
        origin,
      });
      if (times === null) return null;
      const refreshToken = deriveRefreshToken(key, { handle, clientId: client.id, generation: 0n });
      return { ...times, id, user, scopes, refreshToken };
    },
    async findByToken(token, clientId) {
      const presented = parseRefreshToken(token, clientId, secretKeys);
      return presented === null ? null : findByHandle(presented);
    },
    async refresh(presentedSession) {
      let session: PresentedSession | null = presentedSession;
      for (let count = 0; session !== null && count < attemptsMax; count += 1) {
        const outcome = await attempt(session);
        if (outcome !== "again") return outcome;
        session = await findByHandle(session.presented);
      }
      if (session !== null)
        throw new AppError("unavailable", "The session is being refreshed. Try again.", {
          retryAfterMs: 1000,
        });
      return null;
    },
    async endByToken(token, clientId) {
      const presented = parseRefreshToken(token, clientId, secretKeys);
      if (presented === null) return false;
      await store.endByHandle(hashHandle(presented.handle));
      return true;
    },
    findLiveUser: (sessionId, userId) =>
      sessionIds.is(sessionId) ? store.findLiveUser(sessionId, userId) : Promise.resolve(null),
    list: (userId) => store.listLive(userId),
    end: (userId, sessionId) =>
      sessionIds.is(sessionId) ? store.endById(userId, sessionId) : Promise.resolve(false),
    endAll: (userId) => store.endAll(userId),
    async sweep() {
      while ((await store.deleteDead(keptDeadSeconds, sweepBatch)) === sweepBatch);
    },
  };
}
