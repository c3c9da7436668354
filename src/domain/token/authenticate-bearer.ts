import { AppError } from "../../errors/app-error.ts";
import type { Audiences } from "../client/audiences.ts";
import type { Sessions } from "../session/sessions.ts";
import type { UserProfile } from "../user/user.ts";
import type { AccessTokenClaims } from "./access-token-claims.ts";
import type { VerifyAccessToken } from "./verify-access-token.ts";

/** Who makes a request with an access token. */
export interface Principal {
  /** The user as the store has it now: roles come from here, never from a claim. */
  readonly user: UserProfile;
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
  readonly audiences: Pick<Audiences, "own">;
  readonly sessions: Pick<Sessions, "findLiveUser">;
}): AuthenticateBearer {
  return async (token) => {
    const claims = await deps.verify(token);
    if (claims === null) throw invalidToken("dead");
    requireOwnAudience(claims, deps.audiences.own);
    const { sessionId, clientId, scopes } = claims;
    if (sessionId === null) throw invalidToken("client");
    const user = await deps.sessions.findLiveUser(sessionId, claims.subject);
    if (user === null) throw invalidToken("dead");
    return { user, sessionId, clientId, scopes };
  };
}

const details = {
  dead: "The access token is invalid, expired or revoked.",
  audience: "The access token is for another audience than this service.",
  client: "The access token is a client's own, and this is for users.",
} as const;

/** The failure of a token. Whoever holds a genuine one can read all of this in it. */
export function invalidToken(why: keyof typeof details): AppError {
  return new AppError("invalid_token", details[why]);
}

/** Refuses a token that is for somebody else. @throws AppError invalid_token */
export function requireOwnAudience(claims: Pick<AccessTokenClaims, "audiences">, own: string): void {
  if (!claims.audiences.includes(own)) throw invalidToken("audience");
}
