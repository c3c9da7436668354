import type { BlockList, Socket } from "node:net";
import { AppError } from "../../errors/app-error.ts";
import { addressHolder, unmapIpv4 } from "../../lib/ip-address.ts";
import type { HeldKind, PeerMetrics, RefusingBound } from "../../ops/metrics/peer-metrics.ts";
import { type Allowance, createAllowance, type Held, type Refusal } from "./allowance.ts";
import type { Caller } from "./callers.ts";
import type { RefusalLog } from "./refusals.ts";

/** What bounds what peers hold. */
export interface PeersOptions {
  readonly connectionsMax: number;
  readonly requestsMax: number;
  readonly streamsMax: number;
  /** How many connections the process has descriptors for. */
  readonly descriptorsMax: number;
  readonly trustedProxies: BlockList;
  /** Whether callers must hold less than usual. */
  readonly isMemoryScarce: () => boolean;
  readonly metrics: PeerMetrics;
  readonly log: RefusalLog;
}

/** The one place that counts what peers make us hold: connections, unanswered requests, and streams that we send on. */
export interface Peers {
  /** Counts a new connection until it closes, or closes it at once. @returns whether it may stay */
  admitConnection(socket: Socket): boolean;
  /** Counts a request. @returns why it is refused, if it is */
  admitRequest(caller: Caller): Held | AppError;
  /**
   * Counts a stream that the server sends on for as long as the caller wants.
   *
   * @param from who wants it, at the other end of which connection
   * @param end ends the stream, where somebody else needs the room
   * @throws AppError rate_limited, overloaded
   */
  openStream(from: StreamOrigin, end: () => void): Held;
}

/** Where a stream is asked for. */
export interface StreamOrigin {
  readonly caller: Caller;
  /** What all streams of one connection have in common. */
  readonly connection: object;
}

/** Under this part of the usual numbers a process with little memory left serves on. */
const scarceShare = 1 / 16;
/** For one connection of a caller's own. A client has one watch for each service, and asks reflection once. */
const streamsPerConnectionMax = 16;
const retryAfterMs = 1_000;

export function createPeers(options: PeersOptions): Peers {
  const { metrics, log, trustedProxies, isMemoryScarce } = options;
  const bounded = (kind: HeldKind, max: number): Allowance => {
    const now = (): number => (isMemoryScarce() ? Math.ceil(max * scarceShare) : max);
    const allowance = createAllowance(now);
    metrics.watch(kind, { held: () => allowance.held(), max: now });
    return allowance;
  };
  const fewDescriptors = options.descriptorsMax < options.connectionsMax;
  const connections = bounded("connection", Math.min(options.connectionsMax, options.descriptorsMax));
  const requests = bounded("request", options.requestsMax);
  const streams = bounded("stream", options.streamsMax);
  const streamsOf = new WeakMap<object, number>();

  const refuse = (kind: HeldKind, refusal: Refusal | "connection", address: string): AppError => {
    const bound: RefusingBound =
      refusal === "process" && isMemoryScarce()
        ? "memory"
        : refusal === "process" && kind === "connection" && fewDescriptors
          ? "descriptors"
          : refusal;
    metrics.onRefused(kind, bound);
    log.note(kind, bound, address);
    return refusal === "process"
      ? new AppError("overloaded", "The service has as much to do as it can hold.", { retryAfterMs })
      : new AppError("rate_limited", `Too many ${kind}s are open from here.`, { retryAfterMs });
  };

  return {
    admitConnection(socket) {
      const address = unmapIpv4(socket.remoteAddress ?? "");
      const held = connections.take(addressHolder(address, trustedProxies), () => {
        metrics.onEvicted("connection", "process");
        socket.destroy();
      });
      if (typeof held === "string") {
        refuse("connection", held, address);
        socket.on("error", () => undefined).destroy();
        return false;
      }
      socket.once("close", () => held.release());
      return true;
    },
    admitRequest({ address, holder }) {
      const held = requests.take(holder, null);
      return typeof held === "string" ? refuse("request", held, address) : held;
    },
    openStream({ caller: { address, holder, peerAddress }, connection }, end) {
      const open = streamsOf.get(connection) ?? 0;
      const isProxys = addressHolder(peerAddress, trustedProxies) === null;
      if (!isProxys && open >= streamsPerConnectionMax) throw refuse("stream", "connection", address);
      const held = streams.take(holder, () => {
        metrics.onEvicted("stream", "process");
        end();
      });
      if (typeof held === "string") throw refuse("stream", held, address);
      streamsOf.set(connection, open + 1);
      let isOver = false;
      return {
        release() {
          if (isOver) return;
          isOver = true;
          held.release();
          streamsOf.set(connection, (streamsOf.get(connection) ?? 1) - 1);
        },
      };
    },
  };
}
