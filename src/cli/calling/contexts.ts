import { randomUUID } from "node:crypto";
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { codeOf, syncFolder } from "../../lib/files.ts";
import { type FileLock, lockFile } from "../../lib/file-lock.ts";
import { UsageError } from "../command.ts";

/** A sign-in to a service, as it is kept. */
export interface Context {
  /** The address of the service. */
  readonly server: string;
  /** Who has signed in: a user's name or address, or the id of a client. */
  readonly username: string;
  readonly accessToken: string;
  /** Null where the sign-in ends with its access token: a client's. */
  readonly refreshToken: string | null;
  /** When the access token expires by this machine's clock, in milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Certificates (PEM) to verify the service with; null for the system's. */
  readonly caFile: string | null;
  /** Whether plain http to another machine is allowed. */
  readonly allowsHttp: boolean;
}

/**
 * The sign-ins of one person on this machine: a file for each, which its owner alone may read. A file is replaced whole, so
 * that whatever is cut off in the middle leaves the one before.
 */
export interface Contexts {
  /** The names of all, in their order. */
  list(): Promise<string[]>;
  /** The name of the current one; null where there is none. */
  current(): Promise<string | null>;
  /** Null where there is none of this name. @throws Error where others may read it, or it cannot be read */
  find(name: string): Promise<Context | null>;
  /** Called within `alone`. */
  save(name: string, context: Context): Promise<void>;
  use(name: string): Promise<void>;
  /** False where there is none. */
  remove(name: string): Promise<boolean>;
  /** Runs work while no other process works on this context. @throws Error where another one does for too long */
  alone<T>(name: string, work: () => Promise<T>): Promise<T>;
}

const nameForm = /^[a-z0-9][a-z0-9._-]{0,63}$/i;
const lockWaitMs = 90_000;
const bytesMax = 65_536;

/** Refuses what is no name of a context. @throws UsageError */
export function checkContextName(name: string): string {
  if (nameForm.test(name)) return name;
  throw new UsageError(
    "The name of a context must be at most 64 letters, digits, dots, dashes and underscores, the first a letter or a digit.",
  );
}

/** The contexts in a folder, which is made when the first one is kept; without a folder there are none. */
export function openContexts(folder: string | null): Contexts {
  if (folder === null) return noContexts;
  const files = join(folder, "contexts");
  const currentFile = join(folder, "current");
  const fileOf = (name: string): string => join(files, `${checkContextName(name)}.json`);

  const current = async (): Promise<string | null> => {
    const name = (await readOwn(currentFile))?.trim() ?? "";
    return nameForm.test(name) ? name : null;
  };

  return {
    async list() {
      const names = await readdir(files).catch((error: unknown) => {
        if (absent.has(codeOf(error) ?? "")) return [];
        throw cannotRead(files, error);
      });
      return names
        .filter((name) => name.endsWith(".json"))
        .map((name) => name.slice(0, -".json".length))
        .filter((name) => nameForm.test(name))
        .toSorted();
    },
    current,
    async find(name) {
      const file = fileOf(name);
      const text = await readOwn(file);
      return text === null ? null : parseContext(text, file);
    },
    save: (name, context) => replace(fileOf(name), `${JSON.stringify(context, null, 2)}\n`),
    use: (name) => replace(currentFile, `${checkContextName(name)}\n`),
    async remove(name) {
      const file = fileOf(name);
      const isThere = (await readOwn(file)) !== null;
      await rm(file, { force: true });
      if ((await current()) === name) await rm(currentFile, { force: true });
      return isThere;
    },
    async alone(name, work) {
      await makeFolder(files);
      const lock = await take(join(files, `${checkContextName(name)}.lock`));
      try {
        await removeDrafts(files, name);
        return await work();
      } finally {
        lock.release();
      }
    },
  };
}

const noHome = (): Promise<never> =>
  Promise.reject(
    new Error("There is no home folder to keep a sign-in in: set XDG_CONFIG_HOME, or give --token-file."),
  );

const noContexts: Contexts = {
  list: () => Promise.resolve([]),
  current: () => Promise.resolve(null),
  find: () => Promise.resolve(null),
  save: noHome,
  use: noHome,
  remove: () => Promise.resolve(false),
  alone: noHome,
};

/** What a command that was cut off has left, tokens too. */
async function removeDrafts(folder: string, name: string): Promise<void> {
  const drafts = (await readdir(folder)).filter(
    (each) => each.startsWith(`${name}.json.`) && each.endsWith(".new"),
  );
  for (const draft of drafts) await rm(join(folder, draft), { force: true });
}

async function take(file: string): Promise<FileLock> {
  const lock = await lockFile(file, lockWaitMs).catch((error: unknown) => {
    throw new Error(`${file} cannot be locked.`, { cause: error });
  });
  if (lock === null) throw new Error("Another command has been signing in with this context for too long.");
  return lock;
}

/** What says that there is nothing: a folder that may not be entered is somebody else's. */
const absent = new Set(["ENOENT", "ENOTDIR", "EACCES"]);

/** Reads a file that its owner alone may read; null where there is none. */
async function readOwn(file: string): Promise<string | null> {
  const found = await stat(file).catch((error: unknown) => {
    if (absent.has(codeOf(error) ?? "")) return null;
    throw cannotRead(file, error);
  });
  if (found === null) return null;
  const isForeign = process.getuid !== undefined && found.uid !== process.getuid();
  if (isForeign || (found.mode & 0o077) !== 0) {
    throw new Error(
      `${file} belongs to others, or others may read or change it: remove it, or run "chmod 600" on it; if others could read it, sign in again.`,
    );
  }
  if (found.size > bytesMax) throw new Error(`${file} is no file of this program.`);
  return readFile(file, "utf8").catch((error: unknown) => {
    throw cannotRead(file, error);
  });
}

function cannotRead(path: string, error: unknown): Error {
  return new Error(`${path} cannot be read: ${String(codeOf(error))}.`, { cause: error });
}

function parseContext(text: string, file: string): Context {
  try {
    const value = JSON.parse(text) as Partial<Context>;
    const texts = [
      value.server,
      value.username,
      value.accessToken,
      value.refreshToken ?? "",
      value.caFile ?? "",
    ];
    const isGood = texts.every((each) => typeof each === "string") && Number.isFinite(value.expiresAt);
    if (isGood && typeof value.allowsHttp === "boolean") return value as Context;
  } catch {
    // As for what is JSON and no context.
  }
  throw new Error(`${file} is no context: remove it, and sign in again.`);
}

/** Puts a file in the place of another, durably and at once: whoever reads it sees the one or the other. */
async function replace(file: string, text: string): Promise<void> {
  const folder = join(file, "..");
  await makeFolder(folder);
  const draft = `${file}.${randomUUID()}.new`;
  try {
    const handle = await open(draft, "wx", 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
    await syncFolder(folder);
  } catch (error) {
    await rm(draft, { force: true });
    throw new Error(`${file} cannot be written: ${String(codeOf(error))}.`, { cause: error });
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    const made = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (made === undefined) await chmod(folder, 0o700);
  } catch (error) {
    throw new Error(`${folder} cannot be made: ${String(codeOf(error))}.`, { cause: error });
  }
}
