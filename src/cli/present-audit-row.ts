import type { AuditRow } from "../domain/audit/audit-trail.ts";
import { presentTime } from "./present-time.ts";

/** A row of the audit trail as the command line and REST show it: under the names of its columns. */
export function presentAuditRow(row: AuditRow): Record<string, unknown> {
  return {
    id: row.id,
    occurred_at: row.occurredAt,
    type: row.type,
    actor_kind: row.actorKind,
    actor_id: row.actorId,
    user_id: row.userId,
    name_hmac: row.nameHmac,
    session_id: row.sessionId,
    client_id: row.clientId,
    key_id: row.keyId,
    reason: row.reason,
    count: row.count,
    request_id: row.requestId,
    client_address: row.clientAddress,
    user_agent: row.userAgent,
  };
}

/** The titles of the cells. */
export const auditTitles = ["TIME", "TYPE", "REASON", "COUNT", "BY", "ABOUT", "CLIENT", "ADDRESS"] as const;

/** A row as people read it; the rest is in the JSON. */
export function auditCells(row: AuditRow): string[] {
  const about = row.userId ?? row.keyId ?? (row.nameHmac === null ? "-" : `name ${row.nameHmac}`);
  return [
    presentTime(row.occurredAt),
    row.type,
    row.reason ?? "-",
    String(row.count),
    row.actorId !== null && row.actorId !== row.userId ? `${row.actorKind} ${row.actorId}` : row.actorKind,
    about,
    row.clientId ?? "-",
    row.clientAddress ?? "-",
  ];
}
