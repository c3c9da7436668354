import type { Audiences } from "../client/audiences.ts";
import type { ClientCredentials, Clients } from "../client/clients.ts";
import type { Client } from "../client/client.ts";
import { AppError } from "../../errors/app-error.ts";
import type { Origin } from "../session/session.ts";
import type { Sessions } from "../session/sessions.ts";
import type { RevokedTokenStore } from "./revoked-token-store.ts";
import type { AccessTokenClaims } from "./access-token-claims.ts";
import type { VerifyAccessToken } from "./verify-access-token.ts";

/** What is told of an active token (RFC 7662 section 2.2). Times are seconds since the epoch. */
export interface ActiveToken {
  readonly tokenType: "access_token" | "refresh_token";
  readonly subject: string;
  readonly username: string | null;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly expiresAt: number;
  readonly issuedAt: number;
  /** A user's roles now; empty for a client alone. */
  readonly roles: readonly string[];
  /** Empty for a refresh token, which is for nobody but us. */
  readonly audiences: readonly string[];
  /** Access tokens have one. */
  readonly id: string | null;
  /** Tokens of users have one. */
  readonly sessionId: string | null;
}

/** Asks whether a token counts now. Null for every token that does not, or is not the caller's business. */
export type Introspect = (attempt: {
  readonly client: ClientCredentials;
  readonly token: string;
  readonly origin: Origin;
}) => Promise<ActiveToken | null>;

/**
 * Whether a client is told of an access token: one that was issued to it, or that is for one of its audiences: those of
 * its list, and without a list its id and the service's own.
 */
function isToldOf(
  client: Client,
  claims: Pick<AccessTokenClaims, "clientId" | "audiences">,
  ofClient: Audiences["ofClient"],
): boolean {
  if (claims.clientId === client.id) return true;
  const own = client.audiences.length === 0 ? [client.id, ...ofClient(client)] : client.audiences;
  return claims.audiences.some((audience) => own.includes(audience));
}

/**
 * Answers for the access tokens that the caller is told of (`isToldOf`), and for the caller's own refresh tokens. A
 * refresh token is never rotated by it, and never counts as used.
 *
 * @returns the introspection. It throws AppError: invalid_client, unauthorized_client, unavailable
 */
export function createIntrospection(deps: {
  readonly clients: Pick<Clients, "authenticate" | "find">;
  readonly verify: VerifyAccessToken;
  readonly audiences: Pick<Audiences, "ofClient">;
  readonly revoked: Pick<RevokedTokenStore, "has">;
  readonly sessions: Pick<Sessions, "findLiveUser" | "parseToken" | "findByToken" | "isUsable">;
}): Introspect {
  const { sessions } = deps;

  const refreshToken = async (token: string, client: Client): Promise<ActiveToken | null> => {
    const parsed = sessions.parseToken(token, client.id);
    const session = parsed === null ? null : await sessions.findByToken(parsed);
    if (session === null || !sessions.isUsable(session, client.refreshGraceMs)) return null;
    return {
      tokenType: "refresh_token",
      subject: session.user.id,
      username: session.user.username,
      clientId: client.id,
      scopes: session.scopes,
      expiresAt: session.expiresAt,
      issuedAt: session.authTime,
      roles: session.user.roles,
      audiences: [],
      id: null,
      sessionId: session.id,
    };
  };

  const accessToken = async (claims: AccessTokenClaims, client: Client): Promise<ActiveToken | null> => {
    if (!isToldOf(client, claims, deps.audiences.ofClient)) return null;
    const { sessionId, subject } = claims;
    if (sessionId === null) {
      // Whoever asks about its own token was read a moment ago, to authenticate.
      const owner = claims.clientId === client.id ? client : await deps.clients.find(claims.clientId);
      // A client that took the id over has nothing to do with what another was given.
      const isTheirs = owner !== null && owner.registration === claims.clientRegistration;
      const lives = isTheirs && !(await deps.revoked.has(claims.id));
      return lives ? { ...claims, tokenType: "access_token", username: null, roles: [] } : null;
    }
    const user = await sessions.findLiveUser(sessionId, subject);
    if (user === null) return null;
    return { ...claims, tokenType: "access_token", username: user.username, roles: user.roles };
  };

  return async ({ client: credentials, token, origin }) => {
    const client = await deps.clients.authenticate(credentials, origin);
    // RFC 7662 section 2.1: the caller authenticates. Whoever has no secret cannot.
    if (!client.confidential) {
      throw new AppError("invalid_client", "Introspection takes a client that authenticates with a secret.");
    }
    if (!client.canIntrospect) {
      throw new AppError("unauthorized_client", "The client may not introspect tokens.");
    }
    const claims = await deps.verify(token);
    return claims === null ? refreshToken(token, client) : accessToken(claims, client);
  };
}
