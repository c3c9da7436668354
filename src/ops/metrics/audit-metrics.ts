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
  for (const type of auditEventTypes) {
    recorded.inc({ type }, 0);
    failed.inc({ type }, 0);
  }
  return {
    onRecorded: (type) => recorded.inc({ type }),
    onFailed: (type) => failed.inc({ type }),
  };
}
