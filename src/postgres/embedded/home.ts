import { createHash } from "node:crypto";
import { chmod, lchown, lstat, mkdir, readFile, realpath, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { codeOf } from "../../lib/files.ts";
import type { PostgresLog } from "../log.ts";
import { findIdentity, type Identity, isRoot, ownerOf } from "./identity.ts";

/** The folder that holds everything of one embedded PostgreSQL, and who runs it. */
export interface Home {
  readonly folder: string;
  /** The cluster itself, below `folder`; it need not exist yet. */
  readonly dataFolder: string;
  readonly identity: Identity;
}

const pointerName = "postgres-folder";
/** Its group may pass through it, but neither list nor write it. */
const passableMode = 0o710;

/** Folders for root's data, in the order of preference: only root writes to them. */
const systemFolders = ["/var/lib", "/var/db", "/srv"];

/**
 * Makes DATA_DIR if it is missing. Its mode is 0700; as root it is 0710 with the group of the user that runs
 * PostgreSQL, who may then pass through it, but neither list nor write it. An existing folder is left unchanged,
 * except for the group of one that was made like this. All code that makes DATA_DIR uses this function.
 *
 * @returns its real path
 */
export async function prepareDataDir(dataDir: string): Promise<string> {
  const path = resolve(dataDir);
  await mkdir(dirname(path), { recursive: true });
  const identity = await findIdentity(join(path, "postgres", "data"));
  await makePassable(path, identity);
  return realpath(path);
}

/**
 * As root, refuses a folder that another user could swap for another one, or put links into, while root
 * works in it.
 *
 * @throws Error that says whose it is, and what to do
 */
export async function requireOwnFolder(folder: string): Promise<void> {
  const complaint = isRoot() ? await findForeignHand(folder) : null;
  if (complaint !== null) {
    throw new Error(complaint);
  }
}

/** Says which user beside root could replace root's files in a folder, and what to do about it; null if none could. */
export async function findForeignHand(folder: string): Promise<string | null> {
  const found = await lstat(folder).catch(() => null);
  if (found === null || (found.isDirectory() && found.uid === 0 && !isShared(found))) {
    return null;
  }
  if (found.uid !== 0) {
    return `The folder ${folder} belongs to the user ${found.uid}, who could swap what root writes there: start as that user, or give it to root (chown -R root:root ${folder}).`;
  }
  return `The folder ${folder} can be written to by others, who could swap what root writes there: chmod go-w ${folder}.`;
}

function isShared({ mode, gid }: { readonly mode: number; readonly gid: number }): boolean {
  return (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && gid !== 0);
}

/**
 * Decides where the embedded PostgreSQL lives: `DATA_DIR/postgres`, or, if the user that runs it cannot reach
 * that (a DATA_DIR below /root, for example), a folder of root's in /var/lib, remembered in
 * `DATA_DIR/postgres-folder`. Not in /tmp: a name there that can be guessed can be taken by others first.
 *
 * @param dataDir the real path of DATA_DIR, locked by the caller
 * @throws Error when the remembered folder is gone
 */
export async function resolveHome(dataDir: string, log: PostgresLog): Promise<Home> {
  const remembered = await readPointer(dataDir);
  if (remembered !== null) {
    const { identity } = await describeHome(remembered);
    await regroup(remembered, identity);
    log.info({ folder: remembered }, "the embedded PostgreSQL keeps its data in this folder");
    return describeHome(remembered);
  }
  const inside = join(dataDir, "postgres");
  if (await canLiveIn(dataDir, inside)) {
    return describeHome(inside);
  }
  const outside = await makeOutside(dataDir);
  await writeFile(join(dataDir, pointerName), `${outside}\n`, { mode: 0o600, flag: "wx" });
  log.warn(
    { dataDir, folder: outside },
    "the user that runs the embedded PostgreSQL cannot enter DATA_DIR; its data is kept in this folder instead",
  );
  return describeHome(outside);
}

/** Where the home is, or would be made; changes nothing. @param dataDir the real path of DATA_DIR */
export async function findHomeFolder(dataDir: string): Promise<string> {
  return (await readPointer(dataDir)) ?? join(dataDir, "postgres");
}

/** Whether a user may pass through every folder of a real path, by its mode bits. */
export async function canTraverse(path: string, identity: Identity): Promise<boolean> {
  const { mode, uid, gid } = await stat(path);
  const bit = uid === identity.uid ? 0o100 : gid === identity.gid ? 0o010 : 0o001;
  if ((mode & bit) === 0) {
    return false;
  }
  const parent = dirname(path);
  return parent === path || canTraverse(parent, identity);
}

async function describeHome(folder: string): Promise<Home> {
  const dataFolder = join(folder, "data");
  return { folder, dataFolder, identity: await findIdentity(dataFolder) };
}

async function canLiveIn(dataDir: string, inside: string): Promise<boolean> {
  const identity = await findIdentity(join(inside, "data"));
  if (isRoot() && !(await canTraverse(dataDir, identity))) {
    if ((await ownerOf(join(inside, "data"))) !== null) {
      throw new Error(
        `The database lies in ${inside}, and the user that runs it (${identity.uid}) cannot enter ${dataDir}: chgrp ${identity.gid} ${dataDir} && chmod 0710 ${dataDir}.`,
      );
    }
    return false;
  }
  try {
    await makePassable(inside, identity);
    await openHome(inside, identity);
  } catch (error) {
    // A network file system may refuse root this.
    if (isRoot() && codeOf(error) === "EPERM") {
      return false;
    }
    throw error;
  }
  await requireOwnFolder(inside);
  return true;
}

/** Makes a new folder. One that an earlier DATA_DIR of the same path left behind is never used. */
async function makeOutside(dataDir: string): Promise<string> {
  const identity = await findIdentity("");
  const parent = await findSystemFolder(identity);
  const name = createHash("sha256").update(dataDir).digest("hex").slice(0, 16);
  for (let number = 1; number <= 1000; number += 1) {
    const folder = join(parent, `countersign-${name}${number === 1 ? "" : `-${number}`}`);
    if (await makeFolder(folder, identity)) {
      return folder;
    }
  }
  throw new Error(`No folder can be made in ${parent} for the embedded PostgreSQL: set DATABASE_URL.`);
}

async function findSystemFolder(identity: Identity): Promise<string> {
  for (const folder of systemFolders) {
    const found = await lstat(folder).catch(() => null);
    const isSafe = found !== null && found.isDirectory() && found.uid === 0 && (found.mode & 0o022) === 0;
    if (isSafe && (await canTraverse(folder, identity))) {
      return folder;
    }
  }
  throw new Error(
    "The user that runs PostgreSQL cannot enter DATA_DIR, and /var/lib cannot be used: choose another DATA_DIR, or set DATABASE_URL.",
  );
}

/** Makes a folder that the server's user may pass through; of an existing one only the group is changed. */
async function makePassable(folder: string, identity: Identity): Promise<void> {
  if (!(await makeFolder(folder, identity))) {
    await regroup(folder, identity);
  }
}

/** @returns whether it was not there yet */
async function makeFolder(folder: string, identity: Identity): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) === "EEXIST") {
      return false;
    }
    throw error;
  }
  if (isRoot()) {
    await lchown(folder, 0, identity.gid);
    await chmod(folder, passableMode);
  }
  return true;
}

/** Handles a folder that an ordinary user made and then gave to root: the server's user cannot enter it. */
async function openHome(folder: string, { gid }: Identity): Promise<void> {
  const found = await lstat(folder);
  if (isRoot() && found.isDirectory() && found.uid === 0 && (found.mode & 0o777) === 0o700) {
    await lchown(folder, 0, gid);
    await chmod(folder, passableMode);
  }
}

/** Handles a folder that was opened to one user's group, if another user runs the server now. */
async function regroup(folder: string, { gid }: Identity): Promise<void> {
  const found = await lstat(folder);
  const isMade = found.isDirectory() && found.uid === 0 && (found.mode & 0o777) === passableMode;
  if (isRoot() && isMade && found.gid !== gid) {
    await lchown(folder, 0, gid);
  }
}

async function readPointer(dataDir: string): Promise<string | null> {
  const file = join(dataDir, pointerName);
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") {
      return null;
    }
    throw error;
  });
  if (text === null) {
    return null;
  }
  const folder = text.trim();
  const found = await lstat(folder).catch(() => null);
  if (
    found === null ||
    !found.isDirectory() ||
    (isRoot() && (found.uid !== 0 || (found.mode & 0o022) !== 0))
  ) {
    throw new Error(
      `The file ${file} says that the database lies in ${folder}, which is no folder of this service: restore it, or remove the file to begin with an empty database.`,
    );
  }
  return folder;
}
