import { AppError } from "../../errors/app-error.ts";
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
    if (claims === null) throw invalidToken(details.dead);
    // Whoever holds a genuine token can read all of this in it.
    if (claims.audience !== deps.audience) throw invalidToken(details.audience);
    const { sessionId, clientId, scopes } = claims;
    if (sessionId === null) throw invalidToken(details.client);
    const user = await deps.sessions.findLiveUser(sessionId, claims.subject);
    if (user === null) throw invalidToken(details.dead);
    return { user, sessionId, clientId, scopes };
  };
}

const details = {
  dead: "The access token is invalid, expired or revoked.",
  audience: "The access token is for another audience than this service.",
  client: "The access token is a client's own, and this is for users.",
} as const;

function invalidToken(detail: string): AppError {
  return new AppError("invalid_token", detail);
}
