import type { HandlerContext } from "@connectrpc/connect";
import type { Origin } from "../../domain/session/session.ts";
import { callContextKey } from "../call-context.ts";

const userAgentCharsMax = 256;

/** The origin of a call, as sessions and the audit trail store it. */
export function readOrigin(context: Pick<HandlerContext, "values" | "requestHeader">): Origin {
  const { requestId, clientAddress } = context.values.get(callContextKey);
  const userAgent = context.requestHeader.get("user-agent") ?? "";
  return { requestId, clientAddress, userAgent: userAgent.slice(0, userAgentCharsMax) };
}
