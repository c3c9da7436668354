import type { Database, Queryable } from "../../postgres/pool.ts";
import type { Audit } from "../audit/audit.ts";
import { byService, byUser } from "../audit/audit-event.ts";
import type { Client } from "../client/client.ts";
import type { SecretKeys } from "../key/secret-keys.ts";
import type { User } from "../user/user.ts";
import type { IssuedSession } from "./rotation/refresh-session.ts";
import { createHandle, deriveRefreshToken, hashHandle } from "./refresh-token.ts";
import { type AuthMethod, type Origin, sessionIds } from "./session.ts";
import { sessionEnded } from "./session-ended.ts";
import type { IssueTimes, NewSession, SessionStore } from "./session-store.ts";

/** What a session begins with. */
export interface SessionStart {
  readonly user: User;
  /** The user's counter as it was read before the password was checked. */
  readonly sessionEpoch: string;
  /** How the user has proved who it is. */
  readonly amr: readonly AuthMethod[];
  readonly client: Client;
  readonly scopes: readonly string[];
  readonly origin: Origin;
  /** Why there is a new one, where it is not for a login. */
  readonly reason?: string;
}

/** What a session's beginning is made of; see SessionsDeps. */
export interface BeginSessionDeps {
  readonly db: Pick<Database, "transaction">;
  readonly store: Pick<SessionStore, "begin" | "endOldest">;
  readonly secretKeys: SecretKeys;
  readonly idleTtlSeconds: number;
  readonly maxTtlSeconds: number;
  readonly perUserMax: number;
  readonly audit: Pick<Audit, "record">;
}

/** What became of the begin of a session. */
export interface BegunSession {
  /** Null where the user has changed since it was read, or the client has been deleted. */
  readonly session: IssuedSession | null;
  /** Whether the user's oldest sessions have ended for it. */
  readonly hasEndedOthers: boolean;
}

/** Begins a session. */
export type BeginSession = (start: SessionStart) => Promise<BegunSession>;

/** Undoes a transaction in which no session has begun. */
const nothingBegun = new Error("no session has begun");

/** Builds it. It throws AppError unavailable. */
export function createBeginSession(deps: BeginSessionDeps): BeginSession {
  const { secretKeys } = deps;
  return async ({ user, sessionEpoch, amr, client, scopes, origin, reason }) => {
    const id = sessionIds.create();
    const handle = createHandle();
    const key = secretKeys.current;
    const session = {
      handleHash: hashHandle(handle),
      id,
      userId: user.id,
      sessionEpoch,
      clientId: client.id,
      clientRegistration: client.registration,
      scopes,
      amr,
      secretKeyId: key.id,
      idleTtlSeconds: deps.idleTtlSeconds,
      maxTtlSeconds: deps.maxTtlSeconds,
      origin,
    };
    const begun = await beginInOrder(deps, session, reason);
    if (begun === null) return { session: null, hasEndedOthers: false };
    const refreshToken = deriveRefreshToken(key, { handle, clientId: client.id, generation: 0n });
    return {
      session: { ...begun.times, id, user, scopes, amr, refreshToken },
      hasEndedOthers: begun.endedOthers > 0,
    };
  };
}

/**
 * Begins a session and ends the user's oldest beyond the limit, in one transaction with their events. The first
 * statement locks the user's row: of logins side by side each sees the sessions of those before it. All are sent at
 * once; if the first begins nothing, what the others did is undone.
 */
function beginInOrder(
  { db, store, audit, perUserMax }: BeginSessionDeps,
  session: NewSession,
  reason: string | undefined,
): Promise<{ readonly times: IssueTimes; readonly endedOthers: number } | null> {
  const { id: sessionId, userId, clientId, origin } = session;
  const about = { userId, sessionId, clientId, reason };
  const endOldest = async (tx: Queryable): Promise<number> => {
    const ended = await store.endOldest(tx, userId, perUserMax);
    const by = { ...byService, origin };
    for (const one of ended) await audit.record(tx, sessionEnded(one, { how: "session_limit", by }));
    return ended.length;
  };
  return db
    .transaction(async (tx) => {
      const [times, , endedOthers] = await Promise.all([
        store.begin(tx, session),
        audit.record(tx, { type: "login.succeeded", ...byUser(userId, origin), ...about }),
        endOldest(tx),
      ]);
      if (times === null) throw nothingBegun;
      return { times, endedOthers };
    })
    .catch((error: unknown) => {
      if (error === nothingBegun) return null;
      throw error;
    });
}
