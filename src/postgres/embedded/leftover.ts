import { execFile } from "node:child_process";
import { readdir, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { PostgresLog } from "../log.ts";

const fastShutdownMs = 10_000;
const immediateShutdownMs = 5_000;

/**
 * Ends what an earlier service, killed without warning, left running on a cluster. The caller holds
 * the folder's lock, so no living service owns it. It is stopped and not taken over, since its
 * settings, programs and socket may not be those that we would start.
 *
 * @param clusterName the server's `cluster_name`: it stands in the command line of the server and of
 *   each of its processes, and so tells them from others that were given an old pid. The links in
 *   /proc would tell as much, but root in a container may not read those of another user.
 * @throws Error when a server lives that cannot be ended or is out of our sight (in another container)
 */
export async function stopLeftover(dataFolder: string, clusterName: string, log: PostgresLog): Promise<void> {
  const pidFile = join(dataFolder, "postmaster.pid");
  const lines = (await readFile(pidFile, "utf8").catch(() => "")).split("\n");
  const running = await findProcesses(clusterName);
  if (running.length > 0) {
    log.warn(
      { dataFolder, processes: running },
      "A PostgreSQL of an earlier run is still alive: it is stopped first.",
    );
    await stopProcesses(Number(lines[0]), clusterName);
  } else if (lines[1] === dataFolder && (await acceptsConnections(lines[4], lines[3]))) {
    throw new Error(
      `A PostgreSQL that this process cannot see (in another container, perhaps) runs on ${dataFolder}: stop it first.`,
    );
  }
  // None of its processes lives. PostgreSQL would still refuse where its old pid is now another's,
  // which is usual in containers, where pids repeat.
  await rm(pidFile, { force: true });
}

async function stopProcesses(postmaster: number, clusterName: string): Promise<void> {
  const steps = [
    { signal: "SIGINT", waitMs: fastShutdownMs },
    { signal: "SIGQUIT", waitMs: immediateShutdownMs },
    { signal: "SIGKILL", waitMs: immediateShutdownMs },
  ] as const;
  for (const { signal, waitMs } of steps) {
    const running = await findProcesses(clusterName);
    // The server tells its processes itself; they are told one by one only where it is dead.
    for (const pid of running.includes(postmaster) && signal !== "SIGKILL" ? [postmaster] : running) {
      sendSignal(pid, signal);
    }
    if (await areGoneWithin(clusterName, waitMs)) {
      return;
    }
  }
  throw new Error("The PostgreSQL of an earlier run cannot be stopped.");
}

async function areGoneWithin(clusterName: string, waitMs: number): Promise<boolean> {
  const deadline = Date.now() + waitMs;
  while (Date.now() < deadline) {
    if ((await findProcesses(clusterName)).length === 0) {
      return true;
    }
    await sleep(20);
  }
  return false;
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(Error.isError(error) && "code" in error && error.code === "ESRCH")) {
      throw error;
    }
  }
}

/** The ids of the living processes that name the cluster in their command line; a zombie has none. */
async function findProcesses(clusterName: string): Promise<number[]> {
  const pids: number[] = [];
  for (const { pid, command } of await listCommands()) {
    if (command.includes(clusterName)) {
      pids.push(pid);
    }
  }
  return pids;
}

async function listCommands(): Promise<{ pid: number; command: string }[]> {
  if (process.platform !== "linux") {
    const { stdout } = await promisify(execFile)("ps", ["-axww", "-o", "pid=,command="]);
    return stdout.split("\n").map((line) => ({ pid: Number.parseInt(line, 10), command: line }));
  }
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  return Promise.all(
    pids.map(async (pid) => ({
      pid: Number(pid),
      command: await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""),
    })),
  );
}

/** A socket in a file system is reached from every container that shares the folder. */
function acceptsConnections(folder: string | undefined, port: string | undefined): Promise<boolean> {
  if (folder === undefined || folder === "" || port === undefined) {
    return Promise.resolve(false);
  }
  return new Promise((resolve) => {
    const socket = connect(join(folder, `.s.PGSQL.${port}`));
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
