import { csvLine } from "../../lib/csv.ts";
import type { AuditRow } from "./audit-trail-store.ts";
import { eventColumns } from "./event-columns.ts";

/** A row as JSON: under the names of its columns. */
export function auditRecord(row: AuditRow): Record<string, string | number | null> {
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

/** A form of a file of events. Lines are given without what ends them. */
export interface AuditForm {
  readonly contentType: string;
  /** The lines before the first event. */
  readonly head: readonly string[];
  readonly lineEnd: string;
  line(row: AuditRow): string;
}

const titles = ["id", "occurred_at", ...eventColumns] as const;

/** The forms, by their names. */
export const auditForms = {
  ndjson: {
    contentType: "application/x-ndjson",
    head: [],
    lineEnd: "\n",
    line: (row) => JSON.stringify(auditRecord(row)),
  },
  csv: {
    // RFC 4180.
    contentType: "text/csv; charset=utf-8; header=present",
    head: [csvLine(titles)],
    lineEnd: "\r\n",
    line(row) {
      const record = auditRecord(row);
      return csvLine(titles.map((title) => record[title] ?? ""));
    },
  },
} as const satisfies Record<string, AuditForm>;

/** The form of a name; undefined for none. */
export function findAuditForm(name: string): AuditForm | undefined {
  return Object.hasOwn(auditForms, name) ? auditForms[name as keyof typeof auditForms] : undefined;
}
