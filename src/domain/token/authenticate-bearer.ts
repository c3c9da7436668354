import { AppError } from "../errors.ts";
import type { Sessions } from "../session/sessions.ts";
import type { User } from "../user/user.ts";
import type { VerifyAccessToken } from "./verify-access-token.ts";

/** Who makes a request with an access token. */
export interface Principal {
  /** The user as the store has it now: roles come from here, never from a claim. */
  readonly user: User;
  readonly sessionId: string;
  /** The client that the token was issued to. */
  readonly clientId: string;
  readonly scopes: readonly string[];
}

/** Finds who holds an access token. @throws AppError invalid_token, unavailable */
export type AuthenticateBearer = (token: string) => Promise<Principal>;

/** @param deps the check of the token by itself, and the sessions, which know whether it still counts */
export function createBearerAuthentication(deps: {
  readonly verify: VerifyAccessToken;
  readonly sessions: Pick<Sessions, "findLiveUser">;
}): AuthenticateBearer {
  return async (token) => {
    const claims = await deps.verify(token);
    const user = claims === null ? null : await deps.sessions.findLiveUser(claims.sessionId, claims.userId);
    if (claims === null || user === null) {
      throw new AppError("invalid_token", "The access token is invalid, expired or revoked.");
    }
    const { sessionId, clientId, scopes } = claims;
    return { user, sessionId, clientId, scopes };
  };
}
