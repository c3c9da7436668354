import type { Admission } from "../../domain/password/queue/admission.ts";
import { addressPrefix } from "../../lib/ip-address.ts";
import type { Call } from "../call.ts";

/** Queues a call for a password hash by its network, and drops it when the caller goes or its deadline passes. */
export function readAdmission(call: Call): Admission {
  return {
    key: addressPrefix(call.clientAddress),
    lane: "usual",
    signal: call.signal,
    expiresAt: call.expiresAt,
  };
}
