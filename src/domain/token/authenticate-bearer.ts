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

/**
 * @param deps the check of the token by itself, the audience that is us (a token for somebody else
 *   must not be brought here by that somebody), and the sessions, which know whether it still counts
 */
export function createBearerAuthentication(deps: {
  readonly verify: VerifyAccessToken;
  readonly audience: string;
  readonly sessions: Pick<Sessions, "findLiveUser">;
}): AuthenticateBearer {
  return async (token) => {
    const claims = await deps.verify(token);
    const sessionId = claims?.audience === deps.audience ? claims.sessionId : null;
    if (claims === null || sessionId === null) throw invalidToken();
    const user = await deps.sessions.findLiveUser(sessionId, claims.subject);
    if (user === null) throw invalidToken();
    return { user, sessionId, clientId: claims.clientId, scopes: claims.scopes };
  };
}

function invalidToken(): AppError {
  return new AppError("invalid_token", "The access token is invalid, expired or revoked.");
}
