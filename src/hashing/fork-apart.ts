import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { getCompileCacheDir } from "node:module";
import { join } from "node:path";

/**
 * Forks a process of this folder. Its environment has nothing of the service's. What was compiled is shared with the
 * service, so that it needs no compiler of its own: that would cost 25 MB.
 *
 * @param file its entry, in this folder
 * @param threads of its libuv pool: hashes at once
 */
export function forkApart(file: string, args: readonly string[], threads: number): ChildProcess {
  const cacheDir = getCompileCacheDir();
  return fork(join(import.meta.dirname, file), args, {
    execArgv: ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=1"],
    env: {
      UV_THREADPOOL_SIZE: String(threads),
      // Its memory is taken in huge pages if the allocator is glibc's: fewer faults for the same block.
      GLIBC_TUNABLES: "glibc.malloc.hugetlb=1",
      ...(cacheDir === undefined ? {} : { NODE_COMPILE_CACHE: cacheDir }),
    },
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
}

const firstMessageTimeoutMs = 60_000;

/**
 * Waits for the first message of a process that was forked here. A process that sends none in time is killed.
 *
 * @param ended resolves at its end, with how it ended in words
 * @param name of the process, for the errors
 * @throws Error if it ends before, or is too slow
 */
export async function firstMessage(
  child: ChildProcess,
  ended: Promise<string>,
  name: string,
): Promise<unknown> {
  const message = once(child, "message", { signal: AbortSignal.timeout(firstMessageTimeoutMs) });
  const first = await Promise.race([message, ended]).catch((error: unknown) => {
    child.kill("SIGKILL");
    throw new Error(`${name} did not start in time`, { cause: error });
  });
  if (typeof first !== "string") return first[0];
  message.catch(() => undefined);
  throw new Error(`${name} did not start: ${first}`);
}

/** Resolves when a process has ended, or could not be started, with how in words. */
export function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
    child.once("error", (error) => resolve(error.message));
  });
}
