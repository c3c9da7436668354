import type { AuditTrail } from "../../domain/audit/audit-trail.ts";
import { AuditService } from "../../gen/countersign/v1/audit_pb.ts";
import { serve, type ServiceEntry } from "../router.ts";
import { listAuditEventsRpc } from "./list-audit-events.ts";

/** Registers the RPCs of AuditService. */
export function createAuditService({ auditTrail }: { readonly auditTrail: AuditTrail }): ServiceEntry {
  return serve(AuditService, { listAuditEvents: listAuditEventsRpc(auditTrail) });
}
