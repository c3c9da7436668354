import { readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectionTarget } from "../connection-string.ts";
import { isFolderLocked } from "./folder-lock.ts";
import { findHomeFolder } from "./home.ts";
import { readPassword } from "./init-cluster.ts";
import { socketTarget } from "./socket-target.ts";

const startWaitMs = 20_000;

/**
 * Finds the embedded PostgreSQL of a service that runs on a DATA_DIR, for a command beside it. Waits
 * for one that is still starting. It ignores a server that a killed service left behind.
 *
 * @returns where to connect, with the password; null if no service holds the folder
 * @throws Error if the folder is another user's, or the service's database does not start
 */
export async function findRunningPostgres(dataDir: string): Promise<ConnectionTarget | null> {
  const folder = await realpath(dataDir).catch(() => null);
  if (folder === null) {
    return null;
  }
  const deadline = Date.now() + startWaitMs;
  while (await isFolderLocked(folder)) {
    const target = await readTarget(await findHomeFolder(folder));
    if (target !== null) {
      return target;
    }
    if (Date.now() > deadline) {
      throw new Error(`A service holds the folder ${folder}, but its database is not running.`);
    }
    await sleep(100);
  }
  return null;
}

async function readTarget(home: string): Promise<ConnectionTarget | null> {
  const pidFile = await readFile(join(home, "data", "postmaster.pid"), "utf8").catch(() => "");
  const [, , , , socketFolder, , , state] = pidFile.split("\n");
  const password = await readPassword(home);
  if (socketFolder === undefined || state?.trim() !== "ready" || password === null) {
    return null;
  }
  return socketTarget(socketFolder, password);
}
