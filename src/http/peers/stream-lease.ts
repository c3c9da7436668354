import { randomBytes } from "node:crypto";
import type { Exchange } from "../exchange/exchange.ts";
import type { Peers } from "./peers.ts";

/**
 * Gives a stream its place among those that may be open, until its exchange is over.
 *
 * @returns aborted when the caller goes, when the stream has reached its greatest age, and when somebody else needs its place
 * @throws AppError rate_limited, overloaded
 */
export type LeaseStream = (exchange: Exchange) => AbortSignal;

/**
 * @param ageMaxMs how old a stream may become; up to a tenth is taken off, so that those that began together do not
 *   end together
 */
export function createLeaseStream(peers: Pick<Peers, "openStream">, ageMaxMs: number): LeaseStream {
  return (exchange) => {
    const controller = new AbortController();
    const end = (): void => controller.abort();
    const held = peers.openStream(exchange.wire, end);
    const aging = setTimeout(end, ageMaxMs * (0.9 + 0.1 * (randomBytes(1).readUInt8() / 255))).unref();
    exchange.signal.addEventListener("abort", () => controller.abort(exchange.signal.reason), { once: true });
    exchange.whenOver(() => {
      clearTimeout(aging);
      held.release();
    });
    return controller.signal;
  };
}
