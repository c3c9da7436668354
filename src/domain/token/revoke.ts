import type { ClientCredentials, Clients } from "../client/clients.ts";
import type { Audit } from "../audit/audit.ts";
import { type AuditEvent, byClient } from "../audit/audit-event.ts";
import type { Origin } from "../session/session.ts";
import type { Sessions, TellEnd } from "../session/sessions.ts";
import type { RevokedTokenStore } from "./revoked-token-store.ts";
import type { VerifyAccessToken } from "./verify-access-token.ts";

/** Revokes a token of the caller's own (RFC 7009). A token that is not known counts as revoked. */
export type RevokeToken = (attempt: {
  readonly client: ClientCredentials;
  readonly token: string;
  readonly origin: Origin;
}) => Promise<void>;

/**
 * A token of a session, of either kind, ends the session. An access token without one is remembered by
 * its jti for as long as it would have lived.
 *
 * @returns the revocation. It throws AppError: invalid_client, unavailable
 */
export function createRevocation(deps: {
  readonly clients: Pick<Clients, "authenticate">;
  readonly verify: VerifyAccessToken;
  readonly revoked: Pick<RevokedTokenStore, "add">;
  readonly sessions: Pick<Sessions, "end" | "endByToken">;
  readonly audit: Pick<Audit, "record">;
}): RevokeToken {
  return async ({ client: credentials, token, origin }) => {
    const client = await deps.clients.authenticate(credentials, origin);
    const event: AuditEvent = {
      type: "token.revoked",
      ...byClient(client.id, origin),
      clientId: client.id,
    };
    const tell: TellEnd = (ended) => ({ ...event, userId: ended.userId, sessionId: ended.id });
    const claims = await deps.verify(token);
    if (claims === null) {
      await deps.sessions.endByToken(token, client.id, tell);
    } else if (claims.clientId === client.id) {
      if (claims.sessionId !== null) await deps.sessions.end(claims.subject, claims.sessionId, tell);
      else {
        await deps.revoked.add(claims.id, claims.expiresAt, (_changed, tx) => deps.audit.record(event, tx));
      }
    }
  };
}
