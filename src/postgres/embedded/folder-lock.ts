import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { exists } from "../../lib/files.ts";

/** A folder that this process holds until `release`, or until the process ends in any way. */
export interface FolderLock {
  release(): void;
}

const lockFileName = "lock";
const holderFileName = "lock-holder";
const attempts = 12;

/**
 * Takes a folder for this process alone.
 *
 * Node has no flock, but its SQLite takes fcntl locks, and an exclusive transaction on an empty
 * database file holds one for as long as it is open. The kernel grants it to one process only, gives
 * it back the moment the process dies (kill -9 too), and knows neither stale files nor reused pids;
 * it holds between containers that share a volume, which pids and abstract sockets do not.
 * The file must not be opened in any other way: closing any descriptor of it would drop the lock.
 *
 * @throws Error naming the folder and the process that holds it
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const file = join(folder, lockFileName);
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    await chmod(file, 0o600);
    await beginExclusive(database, folder);
    await writeFile(join(folder, holderFileName), `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    database.close();
    throw error;
  }
  return {
    release() {
      if (database.isOpen) {
        database.close();
      }
    },
  };
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
    if (isBusy(error)) {
      return true;
    }
    throw new Error(`The lock of the folder ${folder} cannot be read.`, { cause: error });
  } finally {
    database.close();
  }
}

async function beginExclusive(database: DatabaseSync, folder: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      database.exec("BEGIN EXCLUSIVE");
      return;
    } catch (error) {
      if (!isBusy(error)) {
        throw new Error(`The folder ${folder} cannot be locked.`, { cause: error });
      }
      if (attempt === attempts) {
        throw new Error(`The folder ${folder} is in use by another service${await holderOf(folder)}.`, {
          cause: error,
        });
      }
    }
    // Two processes that try at the same instant can block each other; uneven pauses let one of them through.
    await sleep(20 + Math.random() * 30);
  }
}

/** SQLITE_BUSY, in the low byte of SQLite's extended result codes. */
function isBusy(error: unknown): boolean {
  return Error.isError(error) && "errcode" in error && (Number(error.errcode) & 0xff) === 5;
}

async function holderOf(folder: string): Promise<string> {
  const text = await readFile(join(folder, holderFileName), "utf8").catch(() => "");
  const pid = /^\d+/.exec(text)?.[0];
  return pid === undefined ? "" : `, process ${pid}`;
}
