import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { HandlersOf } from "../../domain/events.ts";
import type { Lane } from "../../domain/password/queue/admission.ts";
import type { HashQueue } from "../../domain/password/queue/hash-queue.ts";

/** The metrics of password hashing. */
export interface HashingMetrics
  extends HandlersOf<"hash.refused" | "hash.started" | "hash.ended" | "hash.unreadable" | "hashing.lost"> {
  /** Reads the queue's depth from now on, whenever metrics are read. */
  readonly watch: (queue: Depths) => void;
}

const lanes: readonly Lane[] = ["known_device", "usual"];
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Registers them. */
export function createHashingMetrics(registry: Registry): HashingMetrics {
  const registers = [registry];
  let watched: Depths | null = null;
  registerDepth(registry, () => watched);
  const wait = new Histogram({
    name: "countersign_hash_wait_seconds",
    help: "How long a password hash waited in the queue before it ran.",
    labelNames: ["lane"],
    buckets,
    registers,
  });
  const duration = new Histogram({
    name: "countersign_hash_duration_seconds",
    help: "How long a password hash ran, from its turn in the queue to its result.",
    buckets,
    registers,
  });
  const refusals = new Counter({
    name: "countersign_hash_refusals_total",
    help: "Password hashes that were not run: the queue was full, the caller's key had used its share, the wait would have exceeded the deadline, or the caller had gone.",
    labelNames: ["lane", "cause"],
    registers,
  });
  const losses = new Counter({
    name: "countersign_hashing_process_losses_total",
    help: "How often the hashing process ended unexpectedly.",
    registers,
  });
  const unreadable = new Counter({
    name: "countersign_hashes_unreadable_total",
    help: "Passwords that could not be compared, since the stored hash cannot be read: its form or cost is unknown, its pepper is gone, or the implementation refuses it. The user cannot sign in; `countersign doctor` counts such users.",
    labelNames: ["cause"],
    registers,
  });
  for (const cause of ["form", "pepper", "refused"] as const) unreadable.inc({ cause }, 0);
  return {
    "hash.refused": ({ lane, cause }) => refusals.inc({ lane, cause }),
    "hash.started": ({ lane, waitedMs }) => wait.observe({ lane }, waitedMs / 1000),
    "hash.ended": (ranMs) => duration.observe(ranMs / 1000),
    "hash.unreadable": (cause) => unreadable.inc({ cause }),
    "hashing.lost": () => losses.inc(),
    watch(queue) {
      watched = queue;
    },
  };
}

type Depths = Pick<HashQueue, "countWaiting" | "countRunning">;

/** @param find the queue; null while there is none yet, and then there are no values */
function registerDepth(registry: Registry, find: () => Depths | null): void {
  const waiting = new Gauge({
    name: "countersign_hash_queue_waiting",
    help: "Password hashes that wait in the queue.",
    labelNames: ["lane"],
    registers: [],
    collect() {
      const queue = find();
      if (queue === null) return;
      for (const lane of lanes) this.set({ lane }, queue.countWaiting(lane));
    },
  });
  const running = new Gauge({
    name: "countersign_hashes_running",
    help: "Password hashes that are running.",
    registers: [],
    collect() {
      this.set(find()?.countRunning() ?? 0);
    },
  });
  registry.registerMetric(waiting);
  registry.registerMetric(running);
}
