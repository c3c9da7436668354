import { readFile, realpath, rm } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { PostgresLog } from "../log.ts";
import { type Cluster, findProcesses } from "./cluster-processes.ts";
import { ownerOf, switchedTo } from "./identity.ts";

const fastShutdownMs = 10_000;
const immediateShutdownMs = 5_000;

/**
 * Ends what an earlier service, killed without warning, left running on a cluster. The caller holds
 * the folder's lock, so no living service owns it. It is stopped and not taken over, since its
 * settings, programs and socket may differ from those of a new start.
 *
 * @param clusterName the server's `cluster_name`, which identifies its processes if there is no /proc
 * @throws Error if a server lives that cannot be ended or cannot be seen (in another container)
 */
export async function stopLeftover(dataFolder: string, clusterName: string, log: PostgresLog): Promise<void> {
  const cluster = await describeCluster(dataFolder, clusterName);
  if (cluster === null) {
    return;
  }
  const pidFile = join(dataFolder, "postmaster.pid");
  const lines = (await readFile(pidFile, "utf8").catch(() => "")).split("\n");
  const running = await findProcesses(cluster);
  if (running.length > 0) {
    log.warn(
      { dataFolder, processes: running },
      "an embedded PostgreSQL of an earlier run is still alive; it is stopped first",
    );
    await stopProcesses(Number(lines[0]), cluster);
  } else if (lines[1] === dataFolder && (await acceptsConnections(lines[4], lines[3]))) {
    throw new Error(
      `A PostgreSQL that this process cannot see (in another container, perhaps) runs on ${dataFolder}: stop it first.`,
    );
  }
  // None of its processes lives. PostgreSQL would still refuse if its old pid is now another process's,
  // which is usual in containers, where pids repeat.
  await rm(pidFile, { force: true });
}

async function describeCluster(dataFolder: string, name: string): Promise<Cluster | null> {
  const owner = await ownerOf(dataFolder);
  return owner === null ? null : { folder: await realpath(dataFolder), name, user: switchedTo(owner) };
}

async function stopProcesses(postmaster: number, cluster: Cluster): Promise<void> {
  const steps = [
    { signal: "SIGINT", waitMs: fastShutdownMs },
    { signal: "SIGQUIT", waitMs: immediateShutdownMs },
    { signal: "SIGKILL", waitMs: immediateShutdownMs },
  ] as const;
  for (const { signal, waitMs } of steps) {
    const running = await findProcesses(cluster);
    // The server stops its processes itself; only if it is dead do they get a signal one by one.
    for (const pid of running.includes(postmaster) && signal !== "SIGKILL" ? [postmaster] : running) {
      sendSignal(pid, signal);
    }
    if (await areGoneWithin(cluster, waitMs)) {
      return;
    }
  }
  throw new Error("The PostgreSQL of an earlier run cannot be stopped.");
}

async function areGoneWithin(cluster: Cluster, waitMs: number): Promise<boolean> {
  const deadline = Date.now() + waitMs;
  while (Date.now() < deadline) {
    if ((await findProcesses(cluster)).length === 0) {
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
