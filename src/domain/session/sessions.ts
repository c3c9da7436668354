import type { Client } from "../client/client.ts";
import type { SecretKeys } from "../key/secret-keys.ts";
import type { User } from "../user/user.ts";
import {
  createRefreshSession,
  decide,
  type IssuableSession,
  type PresentedSession,
  type SessionEvents,
} from "./refresh-session.ts";
import {
  createHandle,
  deriveRefreshToken,
  hashHandle,
  type ParsedRefreshToken,
  parseRefreshToken,
} from "./refresh-token.ts";
import { type Origin, type Session, sessionIds } from "./session.ts";
import type { SessionStore } from "./session-store.ts";

export type { IssuableSession, PresentedSession, SessionEvents } from "./refresh-session.ts";

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
  /** Reads a refresh token of this client's without asking the store; null for every other text. */
  parseToken(token: string, clientId: string): ParsedRefreshToken | null;
  /** The live session of a genuine refresh token. */
  findByToken(token: ParsedRefreshToken): Promise<PresentedSession | null>;
  /**
   * Moves a session on to its next refresh token, or answers again with the current one (see
   * decideRefresh). A token that is used again after its grace ends the session.
   *
   * @param graceMs the client's own grace; null for the service's
   * @returns null where the session is not, or no longer, to be refreshed
   * @throws AppError unavailable
   */
  refresh(session: PresentedSession, graceMs: number | null): Promise<IssuableSession | null>;
  /** Whether a refresh with this token would succeed now. Changes nothing. */
  isUsable(session: PresentedSession, graceMs: number | null): boolean;
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

/** Dead sessions are kept for a day, for whoever looks into what happened. */
const keptDeadSeconds = 86_400;
const sweepBatch = 500;

/** Builds the sessions on their store. */
export function createSessions(deps: SessionsDeps): Sessions {
  const { store, secretKeys } = deps;

  const parse = (token: string, clientId: string) => parseRefreshToken(token, clientId, secretKeys);

  const findByHandle = async (presented: ParsedRefreshToken): Promise<PresentedSession | null> => {
    const handleHash = hashHandle(presented.handle);
    const found = await store.findForRefresh(handleHash);
    return found === null ? null : { ...found, handleHash, presented };
  };

  const refreshSession = createRefreshSession(deps, findByHandle);

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
    parseToken: parse,
    findByToken: findByHandle,
    isUsable: (session, graceMs) => decide(session, graceMs ?? deps.graceMs) !== "reuse",
    refresh: (session, graceMs) => refreshSession(session, graceMs ?? deps.graceMs),
    async endByToken(token, clientId) {
      const presented = parse(token, clientId);
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
