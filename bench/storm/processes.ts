import { readdirSync, readFileSync } from "node:fs";

/** The parts of a running service: its own process, the one that hashes, and those of its PostgreSQL. */
export const parts = ["service", "hashing", "PostgreSQL"] as const;

/** One of them. */
export type Part = (typeof parts)[number];

/** Linux counts processor time in hundredths of a second (USER_HZ). */
const tickMs = 10;

/** The processor time that each part has taken since it began. Milliseconds. @param pid the service's */
export function readProcessorMs(pid: number): Record<Part, number> {
  const sums: Record<Part, number> = { service: 0, hashing: 0, PostgreSQL: 0 };
  for (const [id, part] of findProcesses(pid)) {
    // proc_pid_stat(5): the name in brackets can hold anything; utime and stime are the 14th and 15th field.
    const fields = read(id, "stat").split(") ").at(-1)?.split(" ") ?? [];
    sums[part] += (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * tickMs;
  }
  return sums;
}

/** What the service and the process that hashes hold in memory: PostgreSQL has its own bounds. MiB. */
export function readMemoryMib(pid: number): number {
  let kib = 0;
  for (const [id, part] of findProcesses(pid)) {
    if (part !== "PostgreSQL") kib += Number(/^VmRSS:\s*(\d+)/m.exec(read(id, "status"))?.[1] ?? 0);
  }
  return kib / 1024;
}

function findProcesses(pid: number): Map<number, Part> {
  const parentOf = new Map(
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map((name) => [Number(name), Number(/^PPid:\s*(\d+)/m.exec(read(Number(name), "status"))?.[1])]),
  );
  const found = new Map<number, Part>([[pid, "service"]]);
  const add = (parent: number): void => {
    for (const [id, itsParent] of parentOf) {
      if (itsParent !== parent) continue;
      found.set(id, /worker\.ts/.test(read(id, "cmdline")) ? "hashing" : "PostgreSQL");
      add(id);
    }
  };
  add(pid);
  return found;
}

/** Empty where the process has ended meanwhile. */
function read(id: number, file: string): string {
  try {
    return readFileSync(`/proc/${id}/${file}`, "utf8");
  } catch {
    return "";
  }
}
