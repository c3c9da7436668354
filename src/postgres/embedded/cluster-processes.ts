import { execFile } from "node:child_process";
import { readdir, readlink, stat } from "node:fs/promises";
import { basename } from "node:path";
import { promisify } from "node:util";
import { type Identity, isRoot } from "./identity.ts";
import { runProgram } from "./run-program.ts";

/** How to recognise the processes of a cluster. */
export interface Cluster {
  /** Its real path, which is the working directory of each of its processes. */
  readonly folder: string;
  /** The server's `cluster_name`, for platforms without /proc. */
  readonly name: string;
  /** The user that owns it and runs its processes: PostgreSQL requires that they are the same. */
  readonly user: Identity;
}

/**
 * The ids of the living processes of a cluster: its user's, that run a program called `postgres`, with the
 * cluster as their working directory. A command line proves nothing: any process can set its own.
 */
export async function findProcesses(cluster: Cluster): Promise<number[]> {
  if (process.platform !== "linux") {
    return findByName(cluster);
  }
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map(async (pid) => ((await isOf(cluster, pid)) ? [pid] : [])));
  return found.flat();
}

async function isOf({ folder, user }: Cluster, pid: number): Promise<boolean> {
  const owner = await stat(`/proc/${pid}`).catch(() => null);
  if (owner?.uid !== user.uid) {
    return false;
  }
  if ((await linkOf(pid, "cwd", user)) !== folder) {
    return false;
  }
  const program = await linkOf(pid, "exe", user);
  // The kernel adds this to the name of a file that an update has replaced.
  return program !== null && basename(program.replace(/ \(deleted\)$/, "")) === "postgres";
}

/** Root in a container may not read the links of another user's process; that user may. */
async function linkOf(pid: number, name: "cwd" | "exe", user: Identity): Promise<string | null> {
  const link = `/proc/${pid}/${name}`;
  try {
    return await readlink(link);
  } catch {
    if (!isRoot()) {
      return null;
    }
    const { code, stdout } = await runProgram("readlink", ["--", link], user);
    return code === 0 ? stdout.replace(/\n$/, "") : null;
  }
}

async function findByName({ name, user }: Cluster): Promise<number[]> {
  const { stdout } = await promisify(execFile)("ps", ["-axww", "-o", "pid=,uid=,command="]);
  return stdout.split("\n").flatMap((line) => {
    const [, pid, uid, program = ""] = /^\s*(\d+)\s+(\d+)\s+(\S+)/.exec(line) ?? [];
    const isServer = basename(program) === "postgres" || program === "postgres:";
    return isServer && Number(uid) === user.uid && line.includes(name) ? [Number(pid)] : [];
  });
}
