import type { HandlerContext } from "@connectrpc/connect";
import type { Origin } from "../domain/session/session.ts";
import { callContextKey } from "./call-context.ts";

const userAgentCharsMax = 256;

/** Where a call comes from, as a session keeps it. */
export function readOrigin(context: HandlerContext): Origin {
  const { clientAddress } = context.values.get(callContextKey);
  const userAgent = context.requestHeader.get("user-agent") ?? "";
  return { clientAddress, userAgent: userAgent.slice(0, userAgentCharsMax) };
}
