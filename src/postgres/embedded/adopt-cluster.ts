import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { lchown, mkdtemp, rename } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { PostgresLog } from "../log.ts";
import type { Home } from "./home.ts";
import { type Identity, isRoot, ownerOf, switchedTo } from "./identity.ts";
import { removeFolder } from "./remove-folder.ts";
import { childEnv, runProgram } from "./run-program.ts";

/** The folder in which a copied cluster waits for its removal. */
const formerName = "former-data";

/**
 * Gives the cluster to the server's user where another one owns it: `nobody`, under whom root ran the server
 * in earlier versions, or root itself, for a DATA_DIR that was given to it. No server runs on it.
 *
 * The files are copied, not handed over: whoever still holds one of them open holds the old one. A process of
 * the old owner reads, and one of the new owner writes, so that no link can lead either of them to what its
 * user may not read. A kill in the middle leaves one whole cluster.
 *
 * @throws Error with the reason if the copy fails; the cluster is then unchanged
 */
export async function adoptCluster(home: Home, log: PostgresLog): Promise<void> {
  if (!isRoot()) {
    return;
  }
  const former = join(home.folder, formerName);
  const [owner, leftBehind] = [await ownerOf(home.dataFolder), await ownerOf(former)];
  if (owner === null && leftBehind !== null) {
    await rename(former, home.dataFolder);
    return adoptCluster(home, log);
  }
  if (leftBehind !== null) {
    await removeFolder(former, home.identity.gid);
  }
  if (owner === null || owner.uid === home.identity.uid) {
    return;
  }
  log.warn(
    { dataFolder: home.dataFolder, from: owner.uid, to: home.identity.uid },
    "the embedded database belongs to a user that other programs may run under; it is copied to its own user",
  );
  // The name is one that an unfinished start leaves behind, and the next one removes.
  const work = await mkdtemp(join(home.folder, "initdb-"));
  try {
    await lchown(work, home.identity.uid, home.identity.gid);
    const reader = switchedTo({ uid: owner.uid, gid: home.identity.gid });
    await copyData(home.folder, work, reader, home.identity);
    await rename(home.dataFolder, former);
    await rename(join(work, "data"), home.dataFolder);
  } finally {
    // The next start removes what is left of it.
    await removeFolder(work, home.identity.gid).catch(() => undefined);
  }
  await removeFolder(former, home.identity.gid);
}

/** Copies `data` from one folder to another: read by one user, written by another. */
async function copyData(from: string, to: string, reader: Identity, writer: Identity): Promise<void> {
  const read = startTar(["--create", "--file=-", "data"], from, reader);
  const write = startTar(["--extract", "--preserve-permissions", "--file=-"], to, writer);
  const ends = Promise.all([endOf(read), endOf(write)]);
  await pipeline(read.stdout, write.stdin).catch(() => undefined);
  const failures = (await ends).filter((failure) => failure !== null);
  if (failures.length > 0) {
    throw new Error(`The cluster in ${from} cannot be copied to a user of its own: ${failures.join(" ")}`);
  }
  const synced = await runProgram("sync", ["--file-system", to], writer);
  if (synced.code !== 0) {
    throw new Error(`The copy of the cluster in ${from} cannot be synced to the disk: ${synced.stderr}`);
  }
}

/** Enters the folder before it switches the user: the reader may only pass through it. */
function startTar(
  args: readonly string[],
  cwd: string,
  { switchTo }: Identity,
): ChildProcessWithoutNullStreams {
  return spawn("tar", args, { ...switchTo, cwd, env: childEnv, detached: true });
}

/** Why a program failed; null if it did not. */
function endOf(child: ChildProcessWithoutNullStreams): Promise<string | null> {
  return new Promise((resolve) => {
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code) => resolve(code === 0 ? null : (stderr.trim().split("\n")[0] ?? "")));
  });
}
