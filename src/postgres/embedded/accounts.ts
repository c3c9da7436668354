import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { exists } from "../../lib/files.ts";
import { runProgram } from "./run-program.ts";

/** A line of /etc/passwd. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** The account that root runs the embedded PostgreSQL under. */
export const serverAccountName = "countersign-postgres";

/**
 * Ids that nothing else assigns: above those that useradd picks, in a range that systemd leaves free, and below 65,536,
 * the limit in a container with a user namespace. They are the same on every machine, so that a DATA_DIR that moves
 * from one container to another keeps its owner.
 */
const firstServerId = 60_600;
const lastServerId = 60_699;

export const serverIds = {
  has: (id: number): boolean => id >= firstServerId && id <= lastServerId,
};

const usersFile = "/etc/passwd";
const groupsFile = "/etc/group";

/** The accounts of this machine's /etc/passwd; none if it cannot be read. */
export async function readAccounts(): Promise<Account[]> {
  const text = await readFile(usersFile, "utf8").catch(() => "");
  return [...text.matchAll(/^([^:\n]+):[^:\n]*:(\d+):(\d+):/gm)].map(([, name = "", uid, gid]) => ({
    name,
    uid: Number(uid),
    gid: Number(gid),
  }));
}

/** Picks ids that no account, no group and no process has. @throws Error if all are taken */
export async function pickServerIds(
  accounts: readonly Account[],
): Promise<{ readonly uid: number; readonly gid: number }> {
  const groups = await readFile(groupsFile, "utf8").catch(() => "");
  const taken = new Set([
    ...accounts.flatMap(({ uid, gid }) => [uid, gid]),
    ...[...groups.matchAll(/^[^:\n]+:[^:\n]*:(\d+):/gm)].map(([, gid]) => Number(gid)),
    ...(await usersOfProcesses()),
  ]);
  for (let id = firstServerId; id <= lastServerId; id += 1) {
    if (!taken.has(id)) {
      return { uid: id, gid: id };
    }
  }
  throw new Error(`All user ids from ${firstServerId} to ${lastServerId} are taken: set DATABASE_URL.`);
}

/**
 * Makes the account of the server's user, which initdb looks up, if there is none.
 *
 * @throws Error with what to do, if the machine's accounts cannot be changed
 */
export async function giveAccount(ids: { readonly uid: number; readonly gid: number }): Promise<void> {
  const isThere = async () => (await readAccounts()).some(({ uid }) => uid === ids.uid);
  if (await isThere()) {
    return;
  }
  const said = await addAccount(ids);
  // Another service may have made it at the same moment.
  if (!(await isThere())) {
    throw new Error(
      `PostgreSQL refuses to run as root, and the account ${serverAccountName} cannot be made for it (${said}). ` +
        `Make it yourself (groupadd --gid ${ids.gid} ${serverAccountName} && useradd --uid ${ids.uid} ` +
        `--gid ${ids.gid} --no-create-home --shell /usr/sbin/nologin ${serverAccountName}), start as an ordinary user, or set DATABASE_URL.`,
    );
  }
}

/** @returns the message of the program that failed */
async function addAccount({ uid, gid }: { readonly uid: number; readonly gid: number }): Promise<string> {
  const group = await runAsRoot("groupadd", ["--system", "--gid", String(gid), serverAccountName]);
  const ids = [
    "--system",
    "--uid",
    String(uid),
    "--gid",
    String(gid),
    "--comment",
    "PostgreSQL of Countersign",
  ];
  const without = ["--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin"];
  const account = await runAsRoot("useradd", [...ids, ...without, serverAccountName]);
  return account || group;
}

/** @returns the first line of what it said on its standard error */
async function runAsRoot(name: string, args: readonly string[]): Promise<string> {
  for (const folder of ["/usr/sbin", "/sbin", "/usr/bin"]) {
    if (await exists(join(folder, name))) {
      const { stderr } = await runProgram(join(folder, name), args, { switchTo: {} });
      return stderr.trim().split("\n")[0] ?? "";
    }
  }
  return `there is no ${name}`;
}

async function usersOfProcesses(): Promise<number[]> {
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  const users = await Promise.all(
    pids.map((pid) =>
      stat(`/proc/${pid}`).then(
        ({ uid }) => uid,
        () => 0,
      ),
    ),
  );
  return users;
}
