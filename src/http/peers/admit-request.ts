import type { AppError } from "../../errors/app-error.ts";
import { isProbe } from "../../ops/probes.ts";
import type { Held } from "./allowance.ts";
import type { Caller } from "./callers.ts";
import type { Peers } from "./peers.ts";

/** Whether a request is let in: its place, which is counted until it is over; null where none is; or why it is refused. */
export type Admission = Held | null | AppError;

/** Lets a request in, or not, before anything else is done for it. @param target as the caller sent it */
export type AdmitRequest = (caller: Caller, target: string) => Admission;

/** Probes are let in at any time: who cannot ask restarts us. */
export function createAdmitRequest(peers: Pick<Peers, "admitRequest">): AdmitRequest {
  return (caller, target) => {
    const mark = target.indexOf("?");
    return isProbe(mark === -1 ? target : target.slice(0, mark)) ? null : peers.admitRequest(caller);
  };
}
