import type { HandlerContext } from "@connectrpc/connect";
import type { Admission } from "../../domain/password/queue/admission.ts";
import { addressPrefix } from "../../lib/ip-address.ts";
import { callContextKey } from "../call-context.ts";

/**
 * Queues a call for a password hash by its network, and drops it when the call is cancelled or its deadline passes.
 *
 * @param context an interceptor's has no `timeoutMs`; the deadline is then left to the RPC behind it
 */
export function readAdmission(
  context: Pick<HandlerContext, "values" | "signal"> & Partial<Pick<HandlerContext, "timeoutMs">>,
): Admission {
  const { clientAddress } = context.values.get(callContextKey);
  const leftMs = context.timeoutMs?.();
  return {
    key: addressPrefix(clientAddress),
    lane: "usual",
    signal: context.signal,
    ...(leftMs === undefined ? {} : { expiresAt: performance.now() + leftMs }),
  };
}
