import { type Administrator, byAdministrator } from "../../domain/role/administrator.ts";
import type { AuditSource } from "../../domain/audit/audit-event.ts";
import type { Call } from "../call.ts";
import { readOrigin } from "./read-origin.ts";

/** Whoever administers, and what the audit trail says of them. Throws if the RPC needs no permission. */
export function requireAdministrator(call: Call): {
  readonly standing: Administrator;
  readonly by: AuditSource;
} {
  const { administrator } = call;
  if (administrator === null) throw new Error("an RPC without a permission has no administrator");
  return { standing: administrator, by: byAdministrator(administrator, readOrigin(call)) };
}
