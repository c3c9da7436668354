import type { CgroupLimits } from "../lib/cgroup-limits.ts";

/** The memory of the service and its hashing process without the hashes: one and a half times what was measured. */
const reservedBytes = 256 * 1024 * 1024;
const concurrencyMax = 256;

/**
 * How many password hashes run at once if HASH_CONCURRENCY is unset: as many as there are processors, but no more than
 * the quota of processor time allows, and no more than fit into the memory limit.
 */
export function deriveHashConcurrency(
  cores: number,
  { cpus, memoryBytes }: CgroupLimits,
  hashKib: number,
): number {
  const byTime = cpus === null ? cores : Math.floor(cpus);
  const byMemory =
    memoryBytes === null ? cores : Math.floor((memoryBytes - reservedBytes) / (hashKib * 1024));
  return Math.max(1, Math.min(cores, byTime, byMemory, concurrencyMax));
}
