import { readFile } from "node:fs/promises";

/**
 * Stops a PostgreSQL as a machine that hangs: with SIGSTOP, the postmaster and all its processes. Connections
 * stay open, new ones are accepted by the kernel, and nothing is answered.
 *
 * @param pid the postmaster, or any of its children
 * @returns lets it go on
 */
export async function hangPostgres(pid: number): Promise<() => void> {
  const postmaster = await findPostmaster(pid);
  process.kill(postmaster, "SIGSTOP");
  const stopped = [postmaster, ...(await childrenOf(postmaster))];
  for (const each of stopped) signal(each, "SIGSTOP");
  return () => {
    for (const each of stopped.toReversed()) signal(each, "SIGCONT");
  };
}

/** The processes that a process has started, by the kernel's own list. */
async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text
    .split(" ")
    .filter((word) => word !== "")
    .map(Number);
}

/** The first of a process's children that is a PostgreSQL. */
export async function findPostgresOf(pid: number): Promise<number> {
  for (const child of await childrenOf(pid)) {
    if ((await nameOf(child)) === "postgres") return child;
  }
  throw new Error("The process has no PostgreSQL among its children.");
}

async function findPostmaster(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  return (await nameOf(parent)) === "postgres" ? parent : pid;
}

async function nameOf(pid: number): Promise<string> {
  return (await readFile(`/proc/${pid}/comm`, "utf8")).trim();
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // One that has ended meanwhile.
  }
}
