import { Counter, Gauge, type Registry } from "prom-client";

/** What peers can hold of the public port. */
export const heldKinds = ["connection", "request", "stream"] as const;
/** One of them. */
export type HeldKind = (typeof heldKinds)[number];

/** Which bound was reached: the peer's address' share, its connection's, or what there is for all. */
export const refusingBounds = ["address", "connection", "process", "memory", "descriptors"] as const;
/** One of them. */
export type RefusingBound = (typeof refusingBounds)[number];

/** Counts what peers hold, and what they are refused. */
export interface PeerMetrics {
  onRefused(kind: HeldKind, bound: RefusingBound): void;
  /** A connection was closed, or a stream ended, to make room: for somebody who holds less, or in memory. */
  onEvicted(kind: HeldKind, bound: "process" | "memory"): void;
  /** Where the numbers are read from at each scrape. */
  watch(kind: HeldKind, read: { held(): number; max(): number }): void;
  /** Where the memory is read from at each scrape. */
  watchMemory(read: { usedRatio(): number; isScarce(): boolean }): void;
}

/** Registers the metrics of what peers hold. */
export function createPeerMetrics(registry: Registry): PeerMetrics {
  const registers = [registry];
  const sources = new Map<HeldKind, { held(): number; max(): number }>();
  let memory: { usedRatio(): number; isScarce(): boolean } | null = null;
  const held = new Gauge({
    name: "countersign_peer_held",
    help: "What callers use of the public port now: open connections, requests without an answer, streams that the server sends on.",
    labelNames: ["kind"] as const,
    registers,
    collect() {
      for (const [kind, source] of sources) {
        held.set({ kind }, source.held());
        max.set({ kind }, source.max());
      }
    },
  });
  const max = new Gauge({
    name: "countersign_peer_held_max",
    help: "The present limit. It is lower than CONNECTIONS_MAX if the process has few file descriptors, and a sixteenth of the usual while memory is scarce.",
    labelNames: ["kind"] as const,
    registers,
  });
  const refused = new Counter({
    name: "countersign_peer_refused_total",
    help: "What callers were refused because they hold too much, by the limit that was reached: address (its share), connection (its share), process (all callers together), memory, descriptors. If address rises, one caller is greedy, or a load balancer that hides its callers is missing from TRUSTED_PROXIES.",
    labelNames: ["kind", "bound"] as const,
    registers,
  });
  for (const kind of heldKinds) for (const bound of refusingBounds) refused.inc({ kind, bound }, 0);
  const evicted = new Counter({
    name: "countersign_peer_evicted_total",
    help: "Connections and streams that were closed at the caller who held most: to make room for others when all were in use (process), or because memory ran out (memory).",
    labelNames: ["kind", "bound"] as const,
    registers,
  });
  for (const kind of heldKinds) for (const bound of ["process", "memory"]) evicted.inc({ kind, bound }, 0);
  const used = new Gauge({
    name: "countersign_memory_used_ratio",
    help: "The share of its memory that the process uses: of the heap, or of what the machine or container allows, whichever share is larger.",
    aggregator: "max",
    registers,
    collect() {
      used.set(memory?.usedRatio() ?? 0);
      scarce.set(memory?.isScarce() === true ? 1 : 0);
    },
  });
  const scarce = new Gauge({
    name: "countersign_memory_scarce",
    help: "1 while memory is so scarce that callers may hold only a sixteenth of the usual.",
    aggregator: "max",
    registers,
  });
  return {
    onRefused: (kind, bound) => refused.inc({ kind, bound }),
    onEvicted: (kind, bound) => evicted.inc({ kind, bound }),
    watch: (kind, source) => sources.set(kind, source),
    watchMemory(source) {
      memory = source;
    },
  };
}
