import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "./eventually.ts";

/** A bound to the memory of a process and its children, as a container has one. */
export interface MemoryLimit {
  /** The command that runs another one under the limit. */
  wrap(command: readonly string[]): readonly [string, ...string[]];
  /** How often the kernel has ended a process for the limit. */
  kills(): Promise<number>;
  /** Called when the processes have ended. */
  remove(): Promise<void>;
}

/** Where the kernel's control groups can be made, and what their files are called. */
interface Hierarchy {
  readonly folder: string;
  readonly limit: string;
  readonly events: string;
}

const hierarchies: readonly Hierarchy[] = [
  { folder: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes", events: "memory.oom_control" },
  { folder: "/sys/fs/cgroup", limit: "memory.max", events: "memory.events" },
];

/**
 * A control group with a limit. Where none can be made (it takes root), Node's heap alone is bound, to what it would
 * be in such a container.
 */
export async function limitMemory(mib: number): Promise<MemoryLimit> {
  for (const hierarchy of hierarchies) {
    const group = await makeGroup(hierarchy, mib);
    if (group !== null) return group;
  }
  return {
    wrap: ([program = "", ...args]) => [program, `--max-old-space-size=${mib / 2}`, ...args],
    kills: () => Promise.resolve(0),
    remove: () => Promise.resolve(),
  };
}

async function makeGroup({ folder, limit, events }: Hierarchy, mib: number): Promise<MemoryLimit | null> {
  if (!existsSync(folder)) return null;
  const group = join(folder, `countersign-test-${randomUUID()}`);
  try {
    await mkdir(group);
    await writeFile(join(group, limit), String(mib * 2 ** 20));
  } catch {
    await rmdir(group).catch(() => undefined);
    return null;
  }
  return {
    wrap: (command) => [
      "/bin/sh",
      "-c",
      'echo $$ > "$0" && exec "$@"',
      join(group, "cgroup.procs"),
      ...command,
    ],
    async kills() {
      const text = await readFile(join(group, events), "utf8");
      return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
    },
    // The last process may not be gone altogether yet.
    remove: () =>
      eventually(() =>
        rmdir(group).then(
          () => true,
          () => false,
        ),
      ),
  };
}
