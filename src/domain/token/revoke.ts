import type { Database } from "../../postgres/pool.ts";
import type { ClientCredentials, Clients } from "../client/clients.ts";
import type { Audit } from "../audit/audit.ts";
import { byClient } from "../audit/audit-event.ts";
import { AppError } from "../../errors/app-error.ts";
import type { Origin } from "../session/session.ts";
import type { Sessions } from "../session/sessions.ts";
import type { RevokedTokenStore } from "./revoked-token-store.ts";
import type { VerifyAccessToken } from "./verify-access-token.ts";

/**
 * Revokes a token of the caller's own (RFC 7009). A token that is not known counts as revoked; one of another
 * client's is refused, whether or not it still lives.
 */
export type RevokeToken = (attempt: {
  readonly client: ClientCredentials;
  readonly token: string;
  readonly origin: Origin;
}) => Promise<void>;

/**
 * A token of a session, of either kind, ends the session. An access token without one is remembered by
 * its jti for as long as it would have lived.
 *
 * @returns the revocation. It throws AppError: invalid_client, foreign_token, unavailable
 */
export function createRevocation(deps: {
  readonly db: Pick<Database, "transaction">;
  readonly clients: Pick<Clients, "authenticate">;
  readonly verify: VerifyAccessToken;
  readonly revoked: Pick<RevokedTokenStore, "add">;
  readonly sessions: Pick<Sessions, "end" | "endByToken" | "isGenuine">;
  readonly audit: Pick<Audit, "record">;
}): RevokeToken {
  return async ({ client: credentials, token, origin }) => {
    const client = await deps.clients.authenticate(credentials, origin);
    const by = byClient(client.id, origin);
    const end = { how: "token_revoked", by } as const;
    const claims = await deps.verify(token);
    if (claims === null) {
      const isTheirs = await deps.sessions.endByToken(token, client.id, end);
      if (!isTheirs && (await deps.sessions.isGenuine(token))) throw foreignToken();
    } else if (claims.clientId !== client.id) {
      throw foreignToken();
    } else if (claims.sessionId !== null) {
      await deps.sessions.end(claims.subject, claims.sessionId, end);
    } else {
      await deps.db.transaction(async (tx) => {
        const isNew = await deps.revoked.add(tx, claims.id, claims.expiresAt);
        if (isNew) await deps.audit.record(tx, { type: "token.revoked", ...by, clientId: client.id });
      });
    }
  };
}

/** RFC 7009 section 2.1: a token that was issued to another client is refused, as RFC 6749 section 5.2 has it. */
function foreignToken(): AppError {
  return new AppError("foreign_token", "The token was issued to another client.");
}
