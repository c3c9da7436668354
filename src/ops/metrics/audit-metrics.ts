import { Counter, type Registry } from "prom-client";
import { auditEventTypes } from "../../domain/audit/audit-event.ts";
import type { AuditObserver } from "../../domain/audit/audit.ts";

/** Counts what goes into the audit trail. Every type is there from the start, so that a rate can be asked for. */
export function createAuditMetrics(registry: Registry): AuditObserver {
  const settings = { labelNames: ["type"] as const, registers: [registry] };
  const recorded = new Counter({
    name: "countersign_audit_events_total",
    help: "Security events that this instance handed to the audit trail.",
    ...settings,
  });
  const failed = new Counter({
    name: "countersign_audit_failures_total",
    help: "Security events that could not be written; what they tell of has failed with them.",
    ...settings,
  });
  const dropped = new Counter({
    name: "countersign_audit_events_dropped_total",
    help: "Counted security events that the database refused for what they say, so that the trail lacks them. Any at all is a fault to report.",
    ...settings,
  });
  for (const type of auditEventTypes) {
    dropped.inc({ type }, 0);
    recorded.inc({ type }, 0);
    failed.inc({ type }, 0);
  }
  return {
    onRecorded: (type) => recorded.inc({ type }),
    onFailed: (type) => failed.inc({ type }),
    onDropped: (type, count) => dropped.inc({ type }, count),
  };
}
