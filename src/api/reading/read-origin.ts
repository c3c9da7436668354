import type { Origin } from "../../domain/session/session.ts";
import type { Call } from "../call.ts";

const userAgentCharsMax = 256;

/** The origin of a call, as sessions and the audit trail store it. */
export function readOrigin(call: Call): Origin {
  const { requestId, clientAddress } = call;
  const userAgent = call.header("user-agent") ?? "";
  return { requestId, clientAddress, userAgent: userAgent.slice(0, userAgentCharsMax) };
}
