import type { HandlerContext } from "@connectrpc/connect";
import { type Administrator, byAdministrator } from "../../domain/role/administrator.ts";
import type { AuditSource } from "../../domain/audit/audit-event.ts";
import { administratorKey } from "../call-context.ts";
import { readOrigin } from "./read-origin.ts";

/** Whoever administers, and what the audit trail says of them. Throws if the RPC needs no permission. */
export function requireAdministrator(context: Pick<HandlerContext, "values" | "requestHeader">): {
  readonly standing: Administrator;
  readonly by: AuditSource;
} {
  const standing = context.values.get(administratorKey);
  if (standing === null) throw new Error("an RPC without a permission has no administrator");
  return { standing, by: byAdministrator(standing, readOrigin(context)) };
}
