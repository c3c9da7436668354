import { readdirSync, readFileSync } from "node:fs";

/** Linux counts processor time in hundredths of a second (USER_HZ). */
const tickMs = 10;

/** The processes of a server, by what they do. */
export interface ProcessTree {
  /** The processor time of each part so far, that of its ended children included. Milliseconds. */
  readProcessorMs(): Readonly<Record<string, number>>;
  /** What each part holds in memory alone (the private and its share of shared pages). MiB. */
  readMemoryMib(): Readonly<Record<string, number>>;
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
  return { readProcessorMs: () => sum(processorMs), readMemoryMib: () => sum(memoryMib) };
}

function processorMs(id: number): number {
  // proc_pid_stat(5): the name in brackets can hold anything; utime, stime, cutime and cstime are the 14th to 17th.
  const fields = read(id, "stat").split(") ").at(-1)?.split(" ") ?? [];
  return fields.slice(11, 15).reduce((total, ticks) => total + Number(ticks) * tickMs, 0);
}

function memoryMib(id: number): number {
  return Number(/^Pss:\s*(\d+)/m.exec(read(id, "smaps_rollup"))?.[1] ?? 0) / 1024;
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
