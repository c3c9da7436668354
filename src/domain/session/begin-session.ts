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

/** Begins a session; null where the user has changed since it was read, or the client has been deleted. */
export type BeginSession = (start: SessionStart) => Promise<IssuedSession | null>;

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
    const times = await beginInOrder(deps, session, reason);
    if (times === null) return null;
    const refreshToken = deriveRefreshToken(key, { handle, clientId: client.id, generation: 0n });
    return { ...times, id, user, scopes, amr, refreshToken };
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
): Promise<IssueTimes | null> {
  const { id: sessionId, userId, clientId, origin } = session;
  const about = { userId, sessionId, clientId, reason };
  const endOldest = async (tx: Queryable): Promise<void> => {
    for (const ended of await store.endOldest(tx, userId, perUserMax)) {
      const by = { ...byService, origin };
      await audit.record(tx, sessionEnded(ended, { how: "session_limit", by }));
    }
  };
  return db
    .transaction(
      async (tx) => {
        const [times] = await Promise.all([
          store.begin(tx, session),
          audit.record(tx, { type: "login.succeeded", ...byUser(userId, origin), ...about }),
          endOldest(tx),
        ]);
        if (times === null) throw nothingBegun;
        return times;
      },
      { byIndex: true },
    )
    .catch((error: unknown) => {
      if (error === nothingBegun) return null;
      throw error;
    });
}
