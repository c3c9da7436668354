import type { AuditTrail } from "../../domain/audit/audit-trail.ts";
import type { AuditService } from "../../gen/countersign/v1/audit_pb.ts";
import type { Handler } from "../handler.ts";
import { requireInTime } from "../reading/stream-end.ts";
import { createFollowCursors } from "./follow-cursor.ts";
import { presentAuditEvent } from "./present-audit-event.ts";
import { readAuditFilter } from "./read-audit-filter.ts";

/** AuditService.FollowAuditEvents: GET /admin/audit-events:follow. */
export function followAuditEventsRpc(
  trail: Pick<AuditTrail, "follow">,
): Handler<typeof AuditService.method.followAuditEvents> {
  return async function* followAuditEvents(request, { signal }) {
    const filter = readAuditFilter(request);
    const cursors = createFollowCursors(filter);
    const options = { from: cursors.read(request.cursor), untilNow: request.untilNow, signal };
    for await (const { row, cursor } of trail.follow(filter, options)) {
      yield {
        ...(row === null ? {} : { auditEvent: presentAuditEvent(row) }),
        cursor: cursors.present(cursor),
      };
    }
    requireInTime(signal);
  };
}
