import type { BlockList } from "node:net";
import type { AppError } from "../../errors/app-error.ts";
import { clientAddress } from "../../lib/ip-address.ts";
import { isProbe } from "../../ops/probes.ts";
import type { NodeRequest, NodeResponse } from "../connection/node-http.ts";
import type { Peers } from "./peers.ts";

/** Counts a request until its answer is over. @returns why it is refused, or null where it is let in */
export type AdmitRequest = (request: NodeRequest, response: NodeResponse) => AppError | null;

/** Before anything else is done for a request. Probes are let in at any time: who cannot ask restarts us. */
export function createAdmitRequest(
  peers: Pick<Peers, "admitRequest">,
  trustedProxies: BlockList,
): AdmitRequest {
  return (request, response) => {
    const [path = ""] = (request.url ?? "").split("?", 1);
    if (isProbe(path)) return null;
    const forwardedFor = request.headers["x-forwarded-for"];
    const address = clientAddress(
      request.socket?.remoteAddress ?? "",
      Array.isArray(forwardedFor) ? forwardedFor.join(", ") : forwardedFor,
      trustedProxies,
    );
    const held = peers.admitRequest(address);
    if ("refusal" in held) return held.refusal;
    response.once("close", () => held.release());
    return null;
  };
}
