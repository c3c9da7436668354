import { readdirSync, readFileSync } from "node:fs";

/** Linux counts processor time in hundredths of a second (USER_HZ). */
const tickMs = 10;
/** The memory of one hash at the usual cost is 19 MiB: no other mapping of the hashing process is so full. */
const hashMib = 18;

/** The processes of a server, by what they do. */
export interface ProcessTree {
  /** The processor time of each part so far, that of its ended children included. Milliseconds. */
  readProcessorMs(): Readonly<Record<string, number>>;
  /** What each part holds in memory (the resident set). MiB. */
  readMemoryMib(): Readonly<Record<string, number>>;
  /** What each part keeps of the memory that it hashes in. MiB. */
  readHashMib(): Readonly<Record<string, number>>;
}

/**
 * Watches a process and its descendants.
 *
 * @param nameOf the part that a process belongs to, by its command line; its parent's where it is null
 */
export function watchTree(
  pid: number,
  name: string,
  nameOf: (commandLine: string) => string | null = () => null,
): ProcessTree {
  const sum = (read: (id: number) => number): Record<string, number> => {
    const sums: Record<string, number> = { [name]: 0 };
    for (const [id, part] of findTree(pid, name, nameOf)) sums[part] = (sums[part] ?? 0) + read(id);
    return sums;
  };
  return {
    readProcessorMs: () => sum(processorMs),
    readMemoryMib: () => sum(memoryMib),
    readHashMib: () => sum(keptHashMib),
  };
}

/** Watches a running Countersign: "service", "hashing", and "PostgreSQL" where it is the embedded one. */
export function watchService(pid: number): ProcessTree {
  return watchTree(pid, "service", (commandLine) => {
    if (commandLine.includes("worker.ts")) return "hashing";
    return /\bpostgres\b/.test(commandLine) ? "PostgreSQL" : null;
  });
}

function processorMs(id: number): number {
  // proc_pid_stat(5): the name in brackets can hold anything; utime, stime, cutime and cstime are the 14th to 17th.
  const fields = read(id, "stat").split(") ").at(-1)?.split(" ") ?? [];
  return fields.slice(11, 15).reduce((total, ticks) => total + Number(ticks) * tickMs, 0);
}

function memoryMib(id: number): number {
  return Number(/^VmRSS:\s*(\d+)/m.exec(read(id, "status"))?.[1] ?? 0) / 1024;
}

/** proc_pid_smaps(5): a mapping without a file has an inode of 0. */
function keptHashMib(id: number): number {
  let kib = 0;
  let isAnonymous = false;
  for (const line of read(id, "smaps").split("\n")) {
    const head = /^[\da-f]+-[\da-f]+ \S+ \S+ \S+ (\d+)/.exec(line);
    if (head !== null) isAnonymous = head[1] === "0";
    const held = Number(/^Rss:\s*(\d+)/.exec(line)?.[1] ?? 0);
    if (isAnonymous && held >= hashMib * 1024) kib += held;
  }
  return kib / 1024;
}

function findTree(
  pid: number,
  name: string,
  nameOf: (commandLine: string) => string | null,
): Map<number, string> {
  const parents = new Map<number, number>();
  for (const entry of readdirSync("/proc")) {
    const parent = /^\d+$/.test(entry)
      ? /^PPid:\s*(\d+)/m.exec(read(Number(entry), "status"))?.[1]
      : undefined;
    if (parent !== undefined) parents.set(Number(entry), Number(parent));
  }
  const found = new Map([[pid, name]]);
  // A child may have a smaller number than its parent: go on until nobody is added.
  for (let before = 0; before < found.size; ) {
    before = found.size;
    for (const [id, parent] of parents) {
      const part = found.get(parent);
      if (part !== undefined && !found.has(id)) found.set(id, nameOf(read(id, "cmdline")) ?? part);
    }
  }
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
