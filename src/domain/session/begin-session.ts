import type { Audit } from "../audit/audit.ts";
import { byService, byUser } from "../audit/audit-event.ts";
import type { Client } from "../client/client.ts";
import type { SecretKeys } from "../key/secret-keys.ts";
import type { User } from "../user/user.ts";
import type { IssuedSession } from "./rotation/refresh-session.ts";
import { createHandle, deriveRefreshToken, hashHandle } from "./refresh-token.ts";
import { type Origin, sessionIds } from "./session.ts";
import { sessionEnded } from "./session-ended.ts";
import type { SessionStore } from "./session-store.ts";

/** What a session begins with. */
export interface SessionStart {
  readonly user: User;
  /** The user's counter as it was read before the password was checked. */
  readonly sessionEpoch: string;
  readonly client: Client;
  readonly scopes: readonly string[];
  readonly origin: Origin;
  /** Why there is a new one, where it is not for a login. */
  readonly reason?: string;
}

/** What a session's beginning is made of; see SessionsDeps. */
export interface BeginSessionDeps {
  readonly store: Pick<SessionStore, "begin">;
  readonly secretKeys: SecretKeys;
  readonly idleTtlSeconds: number;
  readonly maxTtlSeconds: number;
  readonly perUserMax: number;
  readonly audit: Pick<Audit, "record">;
}

/** Begins a session; null where the user has changed since it was read, or the client has been deleted. */
export type BeginSession = (start: SessionStart) => Promise<IssuedSession | null>;

/** @param onBegun told the user's id when the store has answered */
export function createBeginSession(deps: BeginSessionDeps, onBegun: (userId: string) => void): BeginSession {
  const { store, secretKeys, audit } = deps;
  return async ({ user, sessionEpoch, client, scopes, origin, reason }) => {
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
      secretKeyId: key.id,
      idleTtlSeconds: deps.idleTtlSeconds,
      maxTtlSeconds: deps.maxTtlSeconds,
      perUserMax: deps.perUserMax,
      origin,
    };
    const about = { userId: user.id, sessionId: id, clientId: client.id };
    const times = await store.begin(session, {
      begun: (_changed, tx) =>
        audit.record({ type: "login.succeeded", ...byUser(user.id, origin), ...about, reason }, tx),
      ended: (ended, tx) => audit.record(sessionEnded(ended, "session_limit", { ...byService, origin }), tx),
    });
    onBegun(user.id);
    if (times === null) return null;
    const refreshToken = deriveRefreshToken(key, { handle, clientId: client.id, generation: 0n });
    return { ...times, id, user, scopes, refreshToken };
  };
}
