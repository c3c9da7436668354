import { chmod } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";

/** A lock that this process holds until `release`, or until the process ends in any way. */
export interface FileLock {
  release(): void;
}

/**
 * Locks by an empty file, which is made where it is missing, for its owner alone.
 *
 * Node has no flock, but its SQLite takes fcntl locks, and an exclusive transaction on an empty
 * database file holds one for as long as it is open. The kernel grants it to one process only, gives
 * it back the moment the process dies (kill -9 too), and knows neither stale files nor reused pids;
 * it holds between containers that share a volume, which pids and abstract sockets do not.
 * The file must not be opened in any other way: closing any descriptor of it would drop the lock.
 *
 * @param waitMs how long to try
 * @returns null where another process has held it all that time
 * @throws the system's error where the file cannot be made or locked
 */
export async function lockFile(file: string, waitMs: number): Promise<FileLock | null> {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    await chmod(file, 0o600);
    if (await beginExclusive(database, performance.now() + waitMs)) {
      return {
        release() {
          if (database.isOpen) database.close();
        },
      };
    }
  } catch (error) {
    database.close();
    throw error;
  }
  database.close();
  return null;
}

/** Whether an error of SQLite says that another process holds a lock. */
export function isLocked(error: unknown): boolean {
  // SQLITE_BUSY, in the low byte of SQLite's extended result codes.
  return Error.isError(error) && "errcode" in error && (Number(error.errcode) & 0xff) === 5;
}

async function beginExclusive(database: DatabaseSync, until: number): Promise<boolean> {
  for (;;) {
    try {
      database.exec("BEGIN EXCLUSIVE");
      return true;
    } catch (error) {
      if (!isLocked(error)) throw error;
      if (performance.now() >= until) return false;
    }
    // Two processes that try at the same instant can block each other; uneven pauses let one of them through.
    await sleep(20 + Math.random() * 30);
  }
}
