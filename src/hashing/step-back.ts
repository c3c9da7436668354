import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { getPriority, setPriority } from "node:os";
import { promisify } from "node:util";
import { codeOf } from "../lib/files.ts";

/** How the kernel runs the threads that hash: in Linux's idle class, or as usual with a nice value. */
export type Scheduling = "idle" | `nice ${number}`;

const nicest = 19;
const chrtAttempts = 3;

/**
 * Lets this process give way to the others of the machine. A thread that is merely nice keeps a core until its slice is
 * over; one of the idle class leaves it as soon as another thread wants it. That halves the delay that a storm of logins
 * adds to all other calls.
 *
 * @param niceness the nice value; 19 also sets the idle class, if the machine has util-linux' `chrt`
 */
export async function stepBack(niceness: number): Promise<Scheduling> {
  await lowerPriority(niceness);
  return niceness === nicest && (await joinIdleClass()) ? "idle" : `nice ${niceness}`;
}

/** Only raises the nice value: a process that was started with `nice` may not lower it again, and should not. */
function stepBackTo(id: number, niceness: number): void {
  if (getPriority(id) < niceness) setPriority(id, niceness);
}

/** Linux gives each thread a priority of its own. The one that takes requests and answers them has little to do. */
async function lowerPriority(niceness: number): Promise<void> {
  if (process.platform !== "linux") {
    stepBackTo(0, niceness);
    return;
  }
  for (const id of await readdir("/proc/self/task")) {
    // A thread may have ended meanwhile, or end between its name and its priority.
    const name = await readFile(`/proc/self/task/${id}/comm`, "utf8").catch(() => "");
    if (name.trim() === "libuv-worker") unlessGone(() => stepBackTo(Number(id), niceness));
  }
}

/** Does something to a thread, or nothing where it has ended. */
function unlessGone(run: () => void): void {
  try {
    run();
  } catch (error) {
    const { info } = error as { readonly info?: { readonly code?: string } };
    if (info?.code !== "ESRCH") throw error;
  }
}

/** `chrt` fails if a thread ends while it walks over them, so it is tried again. */
async function joinIdleClass(): Promise<boolean> {
  if (process.platform !== "linux") return false;
  const args = ["--all-tasks", "--idle", "--pid", "0", String(process.pid)];
  for (let attempt = 0; attempt < chrtAttempts; attempt += 1) {
    try {
      await promisify(execFile)("chrt", args, { env: { PATH: "/usr/bin:/bin" } });
      return true;
    } catch (error) {
      if (codeOf(error) === "ENOENT") return false;
    }
  }
  return false;
}
