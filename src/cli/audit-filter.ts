import { auditEventTypes, isAuditEventType } from "../domain/audit/audit-event.ts";
import type { AuditFilter } from "../domain/audit/audit-trail.ts";
import { AppError } from "../errors/app-error.ts";
import { parseDurationMs } from "../lib/duration.ts";
import { isAddressRange } from "../lib/ip-address.ts";
import type { Core } from "../app/core.ts";
import { type CommandInput, stringOption, stringOptions, UsageError } from "./command.ts";

/** The options that select events. */
export const auditFilterOptions = {
  user: {
    value: "NAME",
    help: "about the user with this name or id, or attempts with an unknown name",
  },
  type: { value: "TYPE", multiple: true, help: "of this type; can be given several times" },
  address: { value: "ADDRESS", help: "from this address, or a range such as 192.0.2.0/24" },
  since: { value: "TIME", help: "at this time (RFC 3339) or later; or a duration ago, such as 2h" },
} as const;

/** The option that ends the time of the events. */
export const auditUntilOption = {
  until: { value: "TIME", help: "before this time; or longer ago than a duration" },
} as const;

/** Reads the filter from the options, without the user. @throws UsageError */
export function readAuditFilter(input: CommandInput): AuditFilter {
  const clientAddress = stringOption(input, "address");
  if (clientAddress !== undefined && !isAddressRange(clientAddress)) {
    throw new UsageError("--address must be an address, or a range of them in CIDR notation.");
  }
  const types = stringOptions(input, "type").map((type) => {
    if (isAuditEventType(type)) return type;
    throw new UsageError(`A type must be one of ${auditEventTypes.join(", ")}.`);
  });
  return {
    clientAddress,
    types: types.length === 0 ? undefined : types,
    since: readTime(input, "since"),
    until: readTime(input, "until"),
  };
}

/** Adds the user that the options name. */
export async function withUser(filter: AuditFilter, input: CommandInput, core: Core): Promise<AuditFilter> {
  const name = stringOption(input, "user");
  if (name === undefined) return filter;
  try {
    return { ...filter, userId: (await core.users.get(name)).id };
  } catch (error) {
    if (!(error instanceof AppError) || error.reason !== "not_found") throw error;
    return evidentId.test(name) ? { ...filter, userId: name } : { ...filter, nameHmac: core.nameHmac(name) };
  }
}

/** An id that was made here, a UUID, or an id with a bar, as Auth0 has them. */
const evidentId = /^(usr_[0-9a-z]{26}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[^|]+\|.+)$/i;
const timeForm = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})$/;

function readTime(input: CommandInput, option: "since" | "until"): string | undefined {
  const text = stringOption(input, option);
  if (text === undefined) return undefined;
  const agoMs = parseDurationMs(text);
  const time =
    agoMs === null ? new Date(timeForm.test(text) ? text : Number.NaN) : new Date(Date.now() - agoMs);
  if (!Number.isNaN(time.getTime())) return time.toISOString();
  throw new UsageError(`--${option} must be a time such as 2026-05-04T09:30:00Z, or a duration such as 2h.`);
}
