import type { CgroupLimits } from "../lib/cgroup-limits.ts";

/** What the service and its hashing process take beside the memory of the hashes: measured, and half as much again. */
const reservedBytes = 256 * 1024 * 1024;
const concurrencyMax = 256;

/**
 * How many password hashes run at once where HASH_CONCURRENCY does not say: as many as there are processors,
 * no more than the quota of processor time is worth, and no more than fit into the bound of memory.
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
