import { Counter, Gauge, type Registry } from "prom-client";

/** What peers can hold of the public port. */
export const heldKinds = ["connection", "request", "stream"] as const;
/** One of them. */
export type HeldKind = (typeof heldKinds)[number];

/** Which bound was reached: the peer's address' share, its connection's, or what there is for all. */
export const refusingBounds = ["address", "connection", "process", "memory", "descriptors"] as const;
/** One of them. */
export type RefusingBound = (typeof refusingBounds)[number];

/** What counts what peers hold, and what they are refused. */
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
    help: "What callers hold of the public port now: connections, requests without an answer, streams that the server sends on.",
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
    help: "How many there may be now. It is less than CONNECTIONS_MAX where descriptors are few, and a sixteenth while memory is scarce.",
    labelNames: ["kind"] as const,
    registers,
  });
  const refused = new Counter({
    name: "countersign_peer_refused_total",
    help: "What callers were refused since they hold too much, by the bound: address (one has its share), connection, process (all together), memory, descriptors. When address rises, one caller is greedy, or a balancer that hides its callers is not in TRUSTED_PROXIES.",
    labelNames: ["kind", "bound"] as const,
    registers,
  });
  for (const kind of heldKinds) for (const bound of refusingBounds) refused.inc({ kind, bound }, 0);
  const evicted = new Counter({
    name: "countersign_peer_evicted_total",
    help: "What was taken from those who hold most: for others, when everything was taken (process), or since memory came to its end (memory).",
    labelNames: ["kind", "bound"] as const,
    registers,
  });
  for (const kind of heldKinds) for (const bound of ["process", "memory"]) evicted.inc({ kind, bound }, 0);
  const used = new Gauge({
    name: "countersign_memory_used_ratio",
    help: "How much of its memory the process uses: of the heap, or of what the machine or container allows, whichever is nearer to its end.",
    registers,
    collect() {
      used.set(memory?.usedRatio() ?? 0);
      scarce.set(memory?.isScarce() === true ? 1 : 0);
    },
  });
  const scarce = new Gauge({
    name: "countersign_memory_scarce",
    help: "1 while memory is so scarce that callers may hold a sixteenth of the usual.",
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
