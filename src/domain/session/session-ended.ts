import { type AuditEvent, type AuditSource, byUser } from "../audit/audit-event.ts";
import type { EndedSession, Origin } from "./session.ts";

/** How a session ends, and who ends it. */
export interface SessionEnd {
  /** `token_revoked`: its client has revoked one of its tokens (RFC 7009). */
  readonly how: "logout" | "revoked" | "session_limit" | "token_revoked";
  readonly by: AuditSource | SessionHolder;
}

/** Whoever shows a session's refresh token is its user. Which user that is, the session says. */
export interface SessionHolder {
  readonly holderAt: Origin;
}

/** The event of a session that has ended, for the audit trail. */
export function sessionEnded(ended: EndedSession, { how, by }: SessionEnd): AuditEvent {
  const { id: sessionId, userId, clientId } = ended;
  const source = "holderAt" in by ? byUser(userId, by.holderAt) : by;
  const about = { ...source, userId, sessionId, clientId };
  return how === "token_revoked"
    ? { type: "token.revoked", ...about }
    : { type: "session.ended", ...about, reason: how };
}
