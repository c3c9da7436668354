import { lchown, lstat, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canTraverse, type Home } from "./home.ts";
import { isRoot } from "./identity.ts";
import { removeFolder } from "./remove-folder.ts";

const recordName = "socket-folder";
const temporaryPrefix = "countersign-";

/** sun_path has 104 bytes on macOS and 108 on Linux, with a closing zero byte and PostgreSQL's file name. */
const folderBytesMax = 103 - "/.s.PGSQL.5432".length;

/**
 * Makes the folder of the server's Unix socket, 0700 and owned by the server's user: `run` in the
 * home, or, if that path is too long for a socket, a new one with a random name in the folder for
 * temporary files. The random one is remembered in the home, so that the next start removes what a
 * kill left behind.
 */
export async function makeSocketFolder(home: Home): Promise<string> {
  await removeSocketFolder(home);
  const inside = join(home.folder, "run");
  if (isFit(inside)) {
    await mkdir(inside, { mode: 0o700 });
    return own(inside, home);
  }
  const parent = await findTemporaryParent(home);
  const folder = await mkdtemp(join(parent, temporaryPrefix));
  await writeFile(join(home.folder, recordName), folder, { mode: 0o600 });
  return own(folder, home);
}

/** Removes what makeSocketFolder made, now or in an earlier run; does nothing if there is none. */
export async function removeSocketFolder(home: Home): Promise<void> {
  await removeFolder(join(home.folder, "run"), home.identity.gid);
  const record = join(home.folder, recordName);
  const folder = await readFile(record, "utf8").catch(() => "");
  const found = folder === "" ? null : await lstat(folder).catch(() => null);
  // The system may have removed it, and another user may have taken the name.
  const isOurs =
    found?.isDirectory() === true && (found.uid === home.identity.uid || found.uid === process.geteuid?.());
  if (isOurs && folder.includes(`/${temporaryPrefix}`)) {
    await removeFolder(folder, home.identity.gid);
  }
  await rm(record, { force: true });
}

async function own(folder: string, home: Home): Promise<string> {
  if (isRoot()) {
    await lchown(folder, home.identity.uid, home.identity.gid);
  }
  return folder;
}

async function findTemporaryParent(home: Home): Promise<string> {
  for (const candidate of [tmpdir(), "/tmp", "/var/tmp"]) {
    const path = await realpath(candidate).catch(() => null);
    if (
      path !== null &&
      isFit(join(path, `${temporaryPrefix}xxxxxx`)) &&
      (await keepsNames(path)) &&
      (await canTraverse(path, home.identity))
    ) {
      return path;
    }
  }
  throw new Error(
    `The path of ${home.folder} is too long for a Unix socket, and so is that of the temporary folder.`,
  );
}

/** Whether no other user can replace root's folder: only root writes there, or it is sticky. */
async function keepsNames(folder: string): Promise<boolean> {
  const { uid, mode } = await lstat(folder);
  return !isRoot() || (uid === 0 && ((mode & 0o022) === 0 || (mode & 0o1000) !== 0));
}

/** PostgreSQL reads a list of folders here: a comma would split one into two. */
function isFit(folder: string): boolean {
  return Buffer.byteLength(folder) <= folderBytesMax && !/[,"\n]/.test(folder);
}
