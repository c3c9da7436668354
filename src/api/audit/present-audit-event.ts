import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { AuditRow } from "../../domain/audit/audit-trail.ts";
import { type AuditEvent, AuditEventSchema } from "../../gen/countersign/v1/audit_pb.ts";

/** An event as the contract shows it. */
export function presentAuditEvent(row: AuditRow): AuditEvent {
  const { occurredAt, id, type, actorKind, count, ...optional } = row;
  const set = Object.entries(optional).filter(([, value]) => value !== null);
  return create(AuditEventSchema, {
    id,
    occurredAt: { ...timestampFromDate(new Date(occurredAt)), nanos: nanosOf(occurredAt) },
    type,
    actorKind,
    count,
    ...Object.fromEntries(set),
  });
}

/** The store's times end in six digits of a second and a Z. */
function nanosOf(time: string): number {
  return Number(time.slice(-7, -1)) * 1000;
}
