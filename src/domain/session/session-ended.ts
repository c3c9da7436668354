import type { AuditEvent, AuditSource } from "../audit/audit-event.ts";
import type { EndedSession } from "./session.ts";

/** The event of a session that has ended, for the audit trail. @param reason why it has */
export function sessionEnded(
  ended: EndedSession,
  reason: "logout" | "revoked" | "session_limit",
  by: AuditSource,
): AuditEvent {
  const { id: sessionId, userId, clientId } = ended;
  return { type: "session.ended", ...by, userId, sessionId, clientId, reason };
}
