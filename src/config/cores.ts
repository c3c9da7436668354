import type { CgroupLimits } from "../lib/cgroup-limits.ts";

/** The memory of the service and its hashing process without the hashes: one and a half times what was measured. */
const reservedBytes = 256 * 1024 * 1024;
/** The same of a worker, where several serve: the first ones' room is then the supervisor's. */
const reservedWorkerBytes = 160 * 1024 * 1024;
const concurrencyMax = 256;

/**
 * How many password hashes run at once if HASH_CONCURRENCY is unset: as many as there are processors, but no more than
 * the quota of processor time allows, and no more than fit into the memory limit.
 */
export function deriveHashConcurrency(
  cores: number,
  limits: CgroupLimits,
  hashKib: number,
  workers: number,
): number {
  const { memoryBytes } = limits;
  const reserved = reservedBytes + (workers === 1 ? 0 : workers * reservedWorkerBytes);
  const byMemory = memoryBytes === null ? cores : Math.floor((memoryBytes - reserved) / (hashKib * 1024));
  return Math.max(1, Math.min(usable(cores, limits), byMemory, concurrencyMax));
}

/** How many processes serve the public port by WORKERS: a number, or one for each processor that can be used. */
export function deriveWorkers(asked: number | "auto", cores: number, limits: CgroupLimits): number {
  return asked === "auto" ? Math.max(1, usable(cores, limits)) : asked;
}

function usable(cores: number, { cpus }: CgroupLimits): number {
  return cpus === null ? cores : Math.min(cores, Math.floor(cpus));
}
