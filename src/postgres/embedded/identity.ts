import { lstat } from "node:fs/promises";
import { type Account, pickServerIds, readAccounts, serverAccountName, serverIds } from "./accounts.ts";
import type { RunAs } from "./run-program.ts";

/** The user that owns a cluster and runs its server. */
export interface Identity extends RunAs {
  readonly uid: number;
  readonly gid: number;
}

/** Whether this process runs as root, under which PostgreSQL refuses to start. */
export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/**
 * Finds the user that will run the server: the present one, or, as root, one that runs nothing else. Changes nothing.
 *
 * It is not `nobody`, which runs other programs too: each of them could answer on the server's socket, and read
 * and change its files. As root it is the owner of the cluster, if that is already such a user; else the account
 * `countersign-postgres`; else ids that no account, group or process has. initdb needs an account for them (see
 * giveAccount), the server does not.
 * Supplementary groups of root do not leak: libuv calls setgroups(0) before setuid if it may.
 *
 * @param dataFolder the cluster, which need not exist yet
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
  const accounts = await readAccounts();
  const named = accounts.find(({ name }) => name === serverAccountName);
  const owner = await ownerOf(dataFolder);
  const ids = owner !== null && isOurs(owner, accounts) ? owner : (named ?? (await pickServerIds(accounts)));
  return switchedTo(ids);
}

/** Another user's identity, under which root runs programs. */
export function switchedTo({ uid, gid }: { readonly uid: number; readonly gid: number }): Identity {
  return { uid, gid, switchTo: { uid, gid } };
}

/** The owner of a folder; null if there is none. */
export async function ownerOf(folder: string): Promise<{ uid: number; gid: number } | null> {
  const found = await lstat(folder).catch(() => null);
  return found?.isDirectory() === true ? { uid: found.uid, gid: found.gid } : null;
}

function isOurs({ uid }: { readonly uid: number }, accounts: readonly Account[]): boolean {
  const holders = accounts.filter((account) => account.uid === uid);
  return holders.length === 0 ? serverIds.has(uid) : holders.every(({ name }) => name === serverAccountName);
}
