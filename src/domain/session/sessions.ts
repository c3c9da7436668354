import type { Client } from "../client/client.ts";
import type { SecretKeys } from "../key/secret-keys.ts";
import type { User } from "../user/user.ts";
import { createHandle, deriveRefreshToken, hashHandle } from "./refresh-token.ts";
import { type BegunSession, type SessionId, sessionIds } from "./session.ts";
import type { SessionStore } from "./session-store.ts";

/** A session that has just begun, with its first refresh token. */
export interface NewlyBegun extends BegunSession {
  readonly id: SessionId;
  readonly refreshToken: string;
}

/** The sessions. */
export interface Sessions {
  /**
   * Begins a session.
   *
   * @param sessionEpoch the user's counter as it was read before the password was checked
   * @returns null where the user's counter or status has changed since
   */
  begin(start: {
    readonly user: User;
    readonly sessionEpoch: string;
    readonly client: Client;
    readonly scopes: readonly string[];
  }): Promise<NewlyBegun | null>;
  /** The user of a session, where both live now. */
  findLiveUser(sessionId: string, userId: string): Promise<User | null>;
}

/** @param deps the store, the secret keys, and how long a session lives, in seconds */
export function createSessions(deps: {
  readonly store: SessionStore;
  readonly secretKeys: SecretKeys;
  readonly idleTtlSeconds: number;
  readonly maxTtlSeconds: number;
}): Sessions {
  const { store, secretKeys, idleTtlSeconds, maxTtlSeconds } = deps;
  return {
    async begin({ user, sessionEpoch, client, scopes }) {
      const id = sessionIds.create();
      const handle = createHandle();
      const key = secretKeys.current;
      const begun = await store.begin({
        handleHash: hashHandle(handle),
        id,
        userId: user.id,
        sessionEpoch,
        clientId: client.id,
        scopes,
        secretKeyId: key.id,
        idleTtlSeconds,
        maxTtlSeconds,
      });
      if (begun === null) return null;
      const refreshToken = deriveRefreshToken(key, { handle, clientId: client.id, generation: 0n });
      return { ...begun, id, refreshToken };
    },
    findLiveUser: (sessionId, userId) =>
      sessionIds.is(sessionId) ? store.findLiveUser(sessionId, userId) : Promise.resolve(null),
  };
}
