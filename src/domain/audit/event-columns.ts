import type { AuditEvent } from "./audit-event.ts";

/** The columns that an event fills, in the order of `eventValues`; audit_events and audit_counts have them alike. */
export const eventColumns = [
  "type",
  "actor_kind",
  "actor_id",
  "user_id",
  "name_hmac",
  "session_id",
  "client_id",
  "key_id",
  "reason",
  "count",
  "request_id",
  "client_address",
  "user_agent",
] as const;

/** An event's values for these columns. */
export function eventValues(event: AuditEvent): (string | number | null)[] {
  const { actor, origin } = event;
  return [
    event.type,
    actor.kind,
    "id" in actor ? actor.id : null,
    event.userId ?? null,
    event.nameHmac ?? null,
    event.sessionId ?? null,
    event.clientId ?? null,
    event.keyId ?? null,
    event.reason ?? null,
    event.count ?? 1,
    textOrNull(origin?.requestId),
    textOrNull(origin?.clientAddress),
    textOrNull(origin?.userAgent),
  ];
}

function textOrNull(text: string | undefined): string | null {
  return text === undefined || text === "" ? null : text;
}
