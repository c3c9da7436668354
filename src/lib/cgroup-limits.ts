import { readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";

/** The limits of this process's control groups; null if they set none. */
export interface CgroupLimits {
  /** Processors' worth of time: the quota by its period. */
  readonly cpus: number | null;
  readonly memoryBytes: number | null;
}

/** Where a hierarchy is mounted, and which group of it is seen there. */
interface Mount {
  readonly root: string;
  readonly folder: string;
  /** Empty for version 2, which has one hierarchy for all controllers. */
  readonly controllers: readonly string[];
}

/** Version 1 has a number for "no limit": the largest multiple of a page below 2^63. */
const unboundedBytes = 2 ** 60;

/**
 * Reads the bounds of the groups that this process is in, of both versions of Linux' control groups, and of the
 * groups around them as far as they can be seen: the least one holds.
 *
 * @param root what stands for `/`, for tests
 */
export function readCgroupLimits(root = "/"): CgroupLimits {
  const read = (path: string): string => {
    try {
      return readFileSync(join(root, path), "utf8");
    } catch {
      return "";
    }
  };
  const mounts = parseMounts(read("/proc/self/mountinfo"));
  const groups = parseGroups(read("/proc/self/cgroup"));
  const foldersOf = (controller: string): string[] =>
    groups
      .filter(({ controllers }) => controllers.length === 0 || controllers.includes(controller))
      .flatMap(({ path, controllers }) => {
        const isOurs = (mount: Mount) =>
          controllers.length === 0 ? mount.controllers.length === 0 : mount.controllers.includes(controller);
        const mount = mounts.find(isOurs);
        return mount === undefined ? [] : upwards(mount, path);
      });
  const least = (bounds: (number | null)[]): number | null => {
    const set = bounds.filter((bound) => bound !== null);
    return set.length === 0 ? null : Math.min(...set);
  };
  return {
    cpus: least(foldersOf("cpu").map((folder) => cpusOf(folder, read))),
    memoryBytes: least(foldersOf("memory").map((folder) => memoryOf(folder, read))),
  };
}

/** proc_pid_cgroup(5): `number:controllers:path`; version 2 is `0::path`. */
function parseGroups(text: string): { controllers: string[]; path: string }[] {
  return [...text.matchAll(/^\d+:([^:\n]*):(.+)$/gm)].map(([, names = "", path = "/"]) => ({
    controllers: names.split(",").filter((name) => name !== ""),
    path,
  }));
}

/** proc_pid_mountinfo(5): the fourth field is the root of the mount, the fifth its place; options follow the type. */
function parseMounts(text: string): Mount[] {
  const form = /^\d+ \d+ \S+ (\S+) (\S+) .*? - (cgroup2?) \S+ (\S+)$/gm;
  return [...text.matchAll(form)].map(([, root = "/", folder = "/", type, options = ""]) => ({
    root,
    folder,
    controllers: type === "cgroup2" ? [] : options.split(","),
  }));
}

/** A group's folder and those around it. A container may see its own group as the root, or a path from outside. */
function upwards(mount: Mount, path: string): string[] {
  const relative = posix.relative(mount.root, path);
  const isInside = !relative.startsWith("..");
  const folders = [join(mount.folder, isInside ? relative : "")];
  for (let folder = folders[0] ?? ""; folder !== mount.folder && folder !== dirname(folder); ) {
    folder = dirname(folder);
    folders.push(folder);
  }
  return folders;
}

/** cpu.max ("quota period") of version 2; cpu.cfs_* of version 1, where -1 is no bound. Microseconds. */
function cpusOf(folder: string, read: (path: string) => string): number | null {
  const [quota = Number.NaN, period = Number.NaN] = (
    read(`${folder}/cpu.max`) ||
    `${read(`${folder}/cpu.cfs_quota_us`)} ${read(`${folder}/cpu.cfs_period_us`)}`
  )
    .trim()
    .split(/\s+/)
    .map(Number);
  return quota > 0 && period > 0 ? quota / period : null;
}

function memoryOf(folder: string, read: (path: string) => string): number | null {
  const text = (read(`${folder}/memory.max`) || read(`${folder}/memory.limit_in_bytes`)).trim();
  const bytes = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return bytes < unboundedBytes ? bytes : null;
}
