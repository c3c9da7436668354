import type { AuditTrail } from "../../domain/audit/audit-trail.ts";
import { AuditService } from "../../gen/countersign/v1/audit_pb.ts";
import { createBoundStreams } from "../reading/few-streams.ts";
import { serve, type ServiceEntry } from "../router.ts";
import { exportAuditEventsRpc } from "./export-audit-events.ts";
import { followAuditEventsRpc } from "./follow-audit-events.ts";
import { listAuditEventsRpc } from "./list-audit-events.ts";

/** Registers the RPCs of AuditService. */
export function createAuditService({ auditTrail }: { readonly auditTrail: AuditTrail }): ServiceEntry {
  const bound = createBoundStreams();
  return serve(AuditService, {
    listAuditEvents: listAuditEventsRpc(auditTrail),
    followAuditEvents: bound(followAuditEventsRpc(auditTrail)),
    exportAuditEvents: bound(exportAuditEventsRpc(auditTrail)),
  });
}
