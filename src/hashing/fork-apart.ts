import { type ChildProcess, fork } from "node:child_process";
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
