import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type FileLock, isLocked, lockFile } from "../../lib/file-lock.ts";
import { exists } from "../../lib/files.ts";

/** A folder that this process holds until `release`, or until the process ends in any way. */
export type FolderLock = FileLock;

const lockFileName = "lock";
const holderFileName = "lock-holder";
const waitMs = 400;

/**
 * Takes a folder for this process alone.
 *
 * @throws Error naming the folder and the process that holds it
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const lock = await lockFile(join(folder, lockFileName), waitMs).catch((error: unknown) => {
    throw new Error(`The folder ${folder} cannot be locked.`, { cause: error });
  });
  if (lock === null) {
    throw new Error(`The folder ${folder} is in use by another service${await holderOf(folder)}.`);
  }
  try {
    await writeFile(join(folder, holderFileName), `${process.pid}\n`, { mode: 0o600 });
    return lock;
  } catch (error) {
    lock.release();
    throw error;
  }
}

/**
 * Whether a living process holds a folder. Changes nothing.
 *
 * @throws Error if another user's lock cannot be read
 */
export async function isFolderLocked(folder: string): Promise<boolean> {
  const file = join(folder, lockFileName);
  if (!(await exists(file))) return false;
  const database = new DatabaseSync(file, { timeout: 0, readOnly: true });
  try {
    // Reading needs a shared lock, which an exclusive lock excludes; two readers do not exclude each other.
    database.exec("SELECT count(*) FROM sqlite_schema");
    return false;
  } catch (error) {
    if (isLocked(error)) return true;
    throw new Error(`The lock of the folder ${folder} cannot be read.`, { cause: error });
  } finally {
    database.close();
  }
}

async function holderOf(folder: string): Promise<string> {
  const text = await readFile(join(folder, holderFileName), "utf8").catch(() => "");
  const pid = /^\d+/.exec(text)?.[0];
  return pid === undefined ? "" : `, process ${pid}`;
}
