import type { Database } from "../../postgres/pool.ts";
import type { Audit } from "../audit/audit.ts";
import type { AuditSource } from "../audit/audit-event.ts";
import type { Events } from "../events.ts";
import type { SecretKeys } from "../key/secret-keys.ts";
import type { UserProfile } from "../user/user.ts";
import { decide, type PresentedSession, type RedisParts } from "./rotation/advance-session.ts";
import { createBeginSession, type SessionStart } from "./begin-session.ts";
import { createEndSessions, type EndSessionsDeps } from "./end-sessions.ts";
import { createLiveUsers } from "./live-users.ts";
import { createRefreshSession, type IssuedSession } from "./rotation/refresh-session.ts";
import { hashHandle, openToken, type ParsedRefreshToken, parseRefreshToken } from "./refresh-token.ts";
import { type Origin, type Session, sessionIds } from "./session.ts";
import type { SessionEnd } from "./session-ended.ts";
import type { SessionStore } from "./session-store.ts";

export type { PresentedSession } from "./rotation/advance-session.ts";
export type { IssuedSession } from "./rotation/refresh-session.ts";

/** The sessions. */
export interface Sessions {
  /**
   * Begins a session.
   *
   * @returns null where the user's counter or status has changed since, or the client has been deleted
   */
  begin(start: SessionStart): Promise<IssuedSession | null>;
  /** Reads a refresh token of this client's without asking the store; null for every other text. */
  parseToken(token: string, clientId: string): ParsedRefreshToken | null;
  /** The live session of a genuine refresh token. */
  findByToken(token: ParsedRefreshToken): Promise<PresentedSession | null>;
  /**
   * Moves a session on to its next refresh token, or answers again with the current one (see
   * decideRefresh). A token that is used again after its grace ends the session. Redis decides where it
   * answers, and Postgres where it does not.
   *
   * @param graceMs the client's own grace; null for the service's
   * @param origin where the refresh comes from
   * @returns null where the session is not, or no longer, to be refreshed
   * @throws AppError unavailable
   */
  refresh(session: PresentedSession, graceMs: number | null, origin: Origin): Promise<IssuedSession | null>;
  /**
   * Whether a refresh with this token would succeed now, as far as Postgres knows, late answers apart: a token whose
   * grace is over is not said to be good. Changes nothing.
   */
  isUsable(session: PresentedSession, graceMs: number | null): boolean;
  /** Ends the session of a genuine refresh token of any generation; false for any other text. */
  endByToken(token: string, clientId: string, end: SessionEnd): Promise<boolean>;
  /** Whether a text is a genuine refresh token of a session that is still kept, ended or not, whoever's it is. */
  isGenuine(token: string): Promise<boolean>;
  /**
   * The user of a session, where both live: now where this process ends one of them or changes the user,
   * otherwise as of at most a second ago.
   */
  findLiveUser(sessionId: string, userId: string): Promise<UserProfile | null>;
  /** The user of a session, where both live, as the store has it now. */
  readLiveUser(sessionId: string, userId: string): Promise<UserProfile | null>;
  /** To be called where a user has changed here, or all of the user's sessions have ended in another way. */
  forgetUser(userId: string): Promise<void>;
  /** What another process of this instance asks for: forgets a user in this process alone. */
  forgetUserHere(userId: string): void;
  /** A user's live sessions, the newest first. */
  list(userId: string): Promise<Session[]>;
  /** Ends one of a user's live sessions; false where there is no such one. */
  end(userId: string, sessionId: string, end: SessionEnd): Promise<boolean>;
  /** Ends all of a user's sessions, and those of logins that are under way. */
  endAll(userId: string, by: AuditSource): Promise<void>;
  /** Deletes the rows of sessions that are long dead, in small batches. */
  sweep(): Promise<void>;
}

/** What the sessions are made of. */
export interface SessionsDeps {
  readonly db: Pick<Database, "query" | "transaction">;
  readonly store: SessionStore;
  readonly users: EndSessionsDeps["users"];
  readonly secretKeys: SecretKeys;
  readonly idleTtlSeconds: number;
  readonly maxTtlSeconds: number;
  /** How long a refresh token is good for after it was rotated out; 0 for not at all. */
  readonly graceMs: number;
  /** Live sessions that a user may have; the oldest ends beyond. */
  readonly perUserMax: number;
  /** Whether a replay within the grace must come from where the rotation came from. */
  readonly graceBinding: "off" | "address";
  /** Whether a token whose successor was never shown is answered once when its grace is over. */
  readonly lateAnswers: boolean;
  /** Null where Postgres alone decides. */
  readonly redis: RedisParts | null;
  readonly audit: Audit;
  /** Lets the other processes of this instance forget a user, too; resolves when they have. */
  forgetElsewhere(userId: string): Promise<void>;
  readonly events: Events;
}

/** Dead sessions are kept for a day, for whoever looks into what happened. */
const keptDeadSeconds = 86_400;
const sweepBatch = 500;

/** Builds the sessions on their store. */
export function createSessions(deps: SessionsDeps): Sessions {
  const { store, secretKeys } = deps;
  const liveUsers = createLiveUsers((sessionId, userId) => store.findLiveUser(sessionId, userId));

  const parse = (token: string, clientId: string) => parseRefreshToken(token, clientId, secretKeys);

  const findByHandle = async (presented: ParsedRefreshToken): Promise<PresentedSession | null> => {
    const handleHash = hashHandle(presented.handle);
    const found = await store.findForRefresh(handleHash);
    return found === null ? null : { ...found, handleHash, presented };
  };

  /** Nobody is answered before the whole instance has forgotten. */
  const forget = async (userId: string): Promise<void> => {
    liveUsers.forget(userId);
    await deps.forgetElsewhere(userId);
  };

  const begin = createBeginSession(deps);
  const ends = createEndSessions(deps);
  const refreshSession = createRefreshSession(deps, {
    find: findByHandle,
    async endReused({ handleHash, id, user }, reason, origin) {
      await ends.reused(handleHash, reason, origin);
      await forget(user.id);
      deps.events.emit("session.reused", { id, userId: user.id });
    },
  });

  return {
    async begin(start) {
      const { session, hasEndedOthers } = await begin(start);
      if (hasEndedOthers) await forget(start.user.id);
      return session;
    },
    parseToken: parse,
    findByToken: findByHandle,
    isUsable: (session, graceMs) =>
      decide(session, { graceMs: graceMs ?? deps.graceMs, lateAnswers: false }) !== "reuse",
    refresh: (session, graceMs, origin) => refreshSession(session, graceMs ?? deps.graceMs, origin),
    async endByToken(token, clientId, end) {
      const presented = parse(token, clientId);
      if (presented === null) return false;
      const ended = await ends.byHandle(hashHandle(presented.handle), end);
      if (ended !== null) await forget(ended.userId);
      return true;
    },
    async isGenuine(token) {
      const opened = openToken(token, secretKeys);
      const clientId = opened === null ? null : await store.findClientId(hashHandle(opened.handle));
      return clientId !== null && parse(token, clientId) !== null;
    },
    findLiveUser: (sessionId, userId) =>
      sessionIds.is(sessionId) ? liveUsers.find(sessionId, userId) : Promise.resolve(null),
    readLiveUser: async (sessionId, userId) =>
      sessionIds.is(sessionId) ? store.findLiveUser(sessionId, userId) : null,
    forgetUser: forget,
    forgetUserHere: (userId) => liveUsers.forget(userId),
    list: (userId) => store.listLive(userId),
    async end(userId, sessionId, end) {
      if (!sessionIds.is(sessionId)) return false;
      const ended = await ends.byId(userId, sessionId, end);
      await forget(userId);
      return ended !== null;
    },
    async endAll(userId, by) {
      await ends.all(userId, by);
      await forget(userId);
    },
    async sweep() {
      while ((await store.deleteDead(keptDeadSeconds, sweepBatch)) === sweepBatch);
    },
  };
}
