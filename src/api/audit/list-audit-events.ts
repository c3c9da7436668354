import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import type { MethodImpl } from "@connectrpc/connect";
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
import { presentPageToken, readPageToken } from "./page-token.ts";
import { presentAuditEvent } from "./present-audit-event.ts";

const defaultPageSize = 50;

/** AuditService.ListAuditEvents: GET /admin/audit-events. */
export function listAuditEventsRpc(
  trail: Pick<AuditTrail, "list">,
): MethodImpl<typeof AuditService.method.listAuditEvents> {
  return async (request) => {
    const size = request.pageSize === 0 ? defaultPageSize : request.pageSize;
    // One row more shows whether there is another page.
    const rows = await trail.list(readFilter(request), readPageToken(request.pageToken), size + 1);
    const page = rows.slice(0, size);
    const last = rows.length > size ? page.at(-1) : undefined;
    return create(ListAuditEventsResponseSchema, {
      auditEvents: page.map(presentAuditEvent),
      nextPageToken: last === undefined ? "" : presentPageToken(last),
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
