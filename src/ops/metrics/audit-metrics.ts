import { Counter, type Registry } from "prom-client";
import { auditEventTypes } from "../../domain/audit/audit-event.ts";
import type { HandlersOf } from "../../domain/events.ts";

/** What they count. */
export type AuditMetrics = HandlersOf<"audit.recorded" | "audit.failed" | "audit.dropped">;

/** Counts what goes into the audit trail. Every type has its series from the start, so that rates can be computed. */
export function createAuditMetrics(registry: Registry): AuditMetrics {
  const settings = { labelNames: ["type"] as const, registers: [registry] };
  const recorded = new Counter({
    name: "countersign_audit_events_total",
    help: "Security events that this instance wrote to the audit trail.",
    ...settings,
  });
  const failed = new Counter({
    name: "countersign_audit_failures_total",
    help: "Security events that could not be written; the actions that they record failed with them.",
    ...settings,
  });
  const dropped = new Counter({
    name: "countersign_audit_events_dropped_total",
    help: "Counted security events that the database refused because of their content, so that the trail lacks them. Any value above 0 is a bug to report.",
    ...settings,
  });
  for (const type of auditEventTypes) {
    dropped.inc({ type }, 0);
    recorded.inc({ type }, 0);
    failed.inc({ type }, 0);
  }
  return {
    "audit.recorded": (type) => recorded.inc({ type }),
    "audit.failed": (type) => failed.inc({ type }),
    "audit.dropped": ({ event: { type }, count }) => dropped.inc({ type }, count),
  };
}
