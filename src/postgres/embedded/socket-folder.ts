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
 * home, or, where that path is too long for a socket, a new one with a random name in the folder for
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

/** Removes what makeSocketFolder made, now or in an earlier run; does nothing where there is none. */
export async function removeSocketFolder(home: Home): Promise<void> {
  await removeFolder(join(home.folder, "run"), home.identity.gid);
  const record = join(home.folder, recordName);
  const folder = await readFile(record, "utf8").catch(() => "");
  const found = folder === "" ? null : await lstat(folder).catch(() => null);
  // The system may have tidied it away, and given the name to someone else.
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

/** Whether nobody can put another folder in the place of root's: root alone writes there, or it is sticky. */
async function keepsNames(folder: string): Promise<boolean> {
  const { uid, mode } = await lstat(folder);
  return !isRoot() || (uid === 0 && ((mode & 0o022) === 0 || (mode & 0o1000) !== 0));
}

/** PostgreSQL reads a list of folders there: a comma would part one in two. */
function isFit(folder: string): boolean {
  return Buffer.byteLength(folder) <= folderBytesMax && !/[,"\n]/.test(folder);
}
