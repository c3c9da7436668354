import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import type { AuditFilter, AuditTrail } from "../../domain/audit/audit-trail.ts";
import { isAuditEventType } from "../../domain/audit/audit-event.ts";
import type { AppError } from "../../errors/app-error.ts";
import type { FieldCode } from "../../errors/field-codes.ts";
import { invalidFields } from "../../errors/invalid.ts";
import { userIds } from "../../domain/user/user.ts";
import {
  type AuditService,
  type ListAuditEventsRequest,
  ListAuditEventsResponseSchema,
} from "../../gen/countersign/v1/audit_pb.ts";
import { isAddressRange } from "../../lib/ip-address.ts";
import type { Handler } from "../handler.ts";
import { presentPage, readPage } from "../reading/page-token.ts";
import { readListPosition } from "./list-position.ts";
import { presentAuditEvent } from "./present-audit-event.ts";

/** AuditService.ListAuditEvents: GET /admin/audit-events. */
export function listAuditEventsRpc(
  trail: Pick<AuditTrail, "list">,
): Handler<typeof AuditService.method.listAuditEvents> {
  return async (request) => {
    const filter = readFilter(request);
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

function readFilter(request: ListAuditEventsRequest): AuditFilter {
  const { userId, clientAddress, since, until } = request;
  const types = request.types.filter(isAuditEventType);
  if (types.length < request.types.length) {
    throw notValid("types", "bad_form", "must be types of audit events");
  }
  if (userId !== "" && !userIds.is(userId)) throw notValid("user_id", "bad_form", "must be the id of a user");
  if (clientAddress !== "" && !isAddressRange(clientAddress)) {
    throw notValid("client_address", "bad_form", "must be an address, or a range of them in CIDR notation");
  }
  return {
    userId: userId === "" ? undefined : userId,
    types: types.length === 0 ? undefined : types,
    clientAddress: clientAddress === "" ? undefined : clientAddress,
    since: readTime(since, "since"),
    until: readTime(until, "until"),
  };
}

/** The years that RFC 3339 and a Timestamp have in common; beyond them a time cannot be written down. */
function readTime(time: Timestamp | undefined, field: string): string | undefined {
  if (time === undefined) return undefined;
  const date = timestampDate(time);
  const year = date.getUTCFullYear();
  if (!(year >= 1 && year <= 9999)) {
    throw notValid(field, "out_of_range", "must be a time of the years 1 to 9999");
  }
  return date.toISOString();
}

function notValid(field: string, code: FieldCode, detail: string): AppError {
  return invalidFields([{ field, code, detail }]);
}
