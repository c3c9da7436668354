import { readFile, stat } from "node:fs/promises";

/** The user that owns a cluster and runs its server. `switchTo` is empty where that is ourselves. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  /** For child_process.spawn. */
  readonly switchTo: { readonly uid: number; readonly gid: number } | Record<string, never>;
}

/** Whether this process runs as root, under which PostgreSQL refuses to start. */
export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/**
 * Finds the user that shall run the server: ourselves, or, as root, the owner of the cluster that is
 * already there, or else `nobody`.
 *
 * `nobody` is the one unprivileged user that every distribution has and whose entry in the user
 * database initdb can look up (it refuses a uid without one). Other programs may run as `nobody` too,
 * and an unmapped uid of a container shows as it, so its uid is never taken as proof of anything:
 * the server asks for a password, and the folder around the cluster belongs to root.
 * Supplementary groups of root do not leak: libuv calls setgroups(0) before setuid where it may.
 *
 * @param dataFolder the cluster, which need not exist yet
 * @throws Error as root, when there is no such user
 */
export async function findIdentity(dataFolder: string): Promise<Identity> {
  const uid = process.geteuid?.();
  const gid = process.getegid?.();
  if (uid === undefined || gid === undefined) {
    throw new Error("The embedded PostgreSQL does not run on this platform: set DATABASE_URL.");
  }
  if (uid !== 0) {
    return { uid, gid, switchTo: {} };
  }
  const owner = await ownerOf(dataFolder);
  const user = owner === null || owner.uid === 0 ? await findNobody() : owner;
  return { ...user, switchTo: user };
}

async function ownerOf(folder: string): Promise<{ uid: number; gid: number } | null> {
  const found = await stat(folder).catch(() => null);
  return found === null ? null : { uid: found.uid, gid: found.gid };
}

async function findNobody(): Promise<{ uid: number; gid: number }> {
  const users = await readFile("/etc/passwd", "utf8").catch(() => "");
  const match = /^nobody:[^:]*:(\d+):(\d+):/m.exec(users);
  const uid = Number(match?.[1] ?? 0);
  const gid = Number(match?.[2] ?? 0);
  if (uid === 0 || gid === 0) {
    throw new Error(
      "PostgreSQL refuses to run as root, and there is no user nobody to run it: set DATABASE_URL, or start as an ordinary user.",
    );
  }
  return { uid, gid };
}
