import type { AuditRow } from "../domain/audit/audit-trail.ts";
import { presentTime } from "./present-time.ts";

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
