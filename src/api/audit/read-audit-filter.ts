import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { isAuditEventType } from "../../domain/audit/audit-event.ts";
import type { AuditFilter } from "../../domain/audit/audit-trail.ts";
import { userIds } from "../../domain/user/user.ts";
import type { AppError } from "../../errors/app-error.ts";
import type { FieldCode } from "../../errors/field-codes.ts";
import { invalidFields } from "../../errors/invalid.ts";
import { isAddressRange } from "../../lib/ip-address.ts";

/** The conditions of a request, each empty or unset where it asks for nothing. */
export interface AuditConditions {
  readonly userId: string;
  readonly types: readonly string[];
  readonly clientAddress: string;
  readonly since?: Timestamp | undefined;
  readonly until?: Timestamp | undefined;
}

/** Reads which events are asked for. @throws AppError validation_failed */
export function readAuditFilter(request: AuditConditions): AuditFilter {
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
