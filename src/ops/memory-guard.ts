import { totalmem } from "node:os";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** The state of the process's memory. */
export interface MemoryGuard {
  start(): void;
  stop(): void;
  /** From 0 to 1: the used share of the heap, or of the memory that the process may have, whichever is larger. */
  usedRatio(): number;
  /** Whether callers must hold less than usual. */
  isScarce(): boolean;
}

/** What a guard is built from. */
export interface MemoryGuardOptions {
  /** What hashes take at most, in their own process. */
  readonly hashingBytes: number;
  /** How many processes like this one share the memory; 1 by default. */
  readonly processes?: number;
  /**
   * Called when memory is about to run out even after a full garbage collection, and then once a second until it is no
   * longer scarce.
   */
  readonly onCritical: () => void;
}

// A peer on a fast network sends some megabytes in this time.
const periodMs = 100;
// Collecting everything takes a tenth of a second and more.
const collectingPeriodMs = 1_000;
const scarceRatio = 0.8;
const criticalRatio = 0.88;
/** Blocks that were freed between others stay resident: measured, 300 MiB of many small ones took 360. */
const packing = 0.8;
/** What the process that hashes takes beside its hashes, and the kernel for the connections. */
const besidesBytes = 64 * 2 ** 20;

/**
 * Compares the process's memory with the heap's limit, and with the container's or the machine's. It counts allocated
 * memory, not resident memory: freed memory stays with the process, and would look used for ever.
 */
export function createMemoryGuard(options: MemoryGuardOptions): MemoryGuard {
  const { hashingBytes, processes = 1, onCritical } = options;
  const collect = garbageCollector();
  const fixedBytes = process.memoryUsage.rss() - allocatedBytes(getHeapStatistics());
  const allowed = allowedBytes();
  const own = (allowed - hashingBytes - besidesBytes) / processes;
  const free = Math.max(own - fixedBytes, allowed / processes / 4);
  const allocatedMax = free * packing;
  let used = 0;
  let collectedAt = Number.NEGATIVE_INFINITY;
  let isCritical = false;
  let timer: NodeJS.Timeout | undefined;
  const measure = (): void => {
    const heap = getHeapStatistics();
    used = Math.max(heap.used_heap_size / heap.heap_size_limit, allocatedBytes(heap) / allocatedMax);
  };
  const look = (): void => {
    measure();
    const bound = isCritical ? scarceRatio : criticalRatio;
    if (used < bound) isCritical = false;
    else if (performance.now() - collectedAt >= collectingPeriodMs) {
      collect();
      collectedAt = performance.now();
      measure();
      isCritical = used >= bound;
      if (isCritical) onCritical();
    }
  };
  return {
    start() {
      measure();
      timer = setInterval(look, periodMs).unref();
    },
    stop: () => clearInterval(timer),
    usedRatio: () => used,
    isScarce: () => used >= scarceRatio,
  };
}

/** Buffers, and what HTTP/2 sessions keep, are outside of the heap. */
function allocatedBytes(heap: ReturnType<typeof getHeapStatistics>): number {
  return heap.used_heap_size + heap.external_memory;
}

/** The container's limit, or the machine's memory. Without a limit Node reports 0, or more than there is memory. */
function allowedBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** Node gives access to its garbage collector in a context that is made while the flag is set. */
function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  return typeof collect === "function" ? () => void Reflect.apply(collect, undefined, []) : () => undefined;
}
