import type { AuditTrail } from "../../domain/audit/audit-trail.ts";
import { AuditService } from "../../gen/countersign/v1/audit_pb.ts";
import type { FewStreams } from "../reading/few-streams.ts";
import { serve, type ServiceEntry } from "../router.ts";
import { exportAuditEventsRpc } from "./export-audit-events.ts";
import { followAuditEventsRpc } from "./follow-audit-events.ts";
import { listAuditEventsRpc } from "./list-audit-events.ts";

/** Registers the RPCs of AuditService. */
export function createAuditService({
  auditTrail,
  streams,
}: {
  readonly auditTrail: AuditTrail;
  readonly streams: FewStreams;
}): ServiceEntry {
  return serve(AuditService, {
    listAuditEvents: listAuditEventsRpc(auditTrail),
    followAuditEvents: streams.bound(followAuditEventsRpc(auditTrail)),
    exportAuditEvents: streams.bound(exportAuditEventsRpc(auditTrail)),
  });
}
