import { type Administrator, byAdministrator, type Changer } from "../../domain/role/administrator.ts";
import type { Call } from "../call.ts";
import { readOrigin } from "./read-origin.ts";

/** Whoever administers, and what the audit trail says of them. Throws if the RPC needs no permission. */
export function requireAdministrator(call: Call): Changer & { readonly standing: Administrator } {
  const { administrator } = call;
  if (administrator === null) throw new Error("an RPC without a permission has no administrator");
  return { standing: administrator, by: byAdministrator(administrator, readOrigin(call)) };
}
