import { create } from "@bufbuild/protobuf";
import type { AuditTrail } from "../../domain/audit/audit-trail.ts";
import { type AuditService, ListAuditEventsResponseSchema } from "../../gen/countersign/v1/audit_pb.ts";
import type { Handler } from "../handler.ts";
import { presentPage, readPage } from "../reading/page-token.ts";
import { readListPosition } from "./list-position.ts";
import { presentAuditEvent } from "./present-audit-event.ts";
import { readAuditFilter } from "./read-audit-filter.ts";

/** AuditService.ListAuditEvents: GET /admin/audit-events. */
export function listAuditEventsRpc(
  trail: Pick<AuditTrail, "list">,
): Handler<typeof AuditService.method.listAuditEvents> {
  return async (request) => {
    const filter = readAuditFilter(request);
    const page = readPage(request, filter);
    const rows = await trail.list(filter, readListPosition(page.after), page.size + 1);
    const { items, nextPageToken } = presentPage(rows, page, filter, ({ occurredAt, id }) => [
      occurredAt,
      id,
    ]);
    return create(ListAuditEventsResponseSchema, {
      auditEvents: items.map(presentAuditEvent),
      nextPageToken,
    });
  };
}
