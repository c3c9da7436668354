import { randomBytes } from "node:crypto";
import { link, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exists } from "../lib/files.ts";
import { prepareDataDir } from "../postgres/embedded/home.ts";

/** A password in a file of its own, until it is known whether its user was made. */
export interface KeptPassword {
  /** Gives the file its known name; what an earlier try left under it is replaced. */
  publish(): Promise<string>;
  /** Removes the file, under either name. */
  remove(): Promise<void>;
}

const fileName = "bootstrap-password";
const draftForm = new RegExp(`^${fileName}\\.[0-9a-f]{16}$`);

/**
 * Writes a password, 0600, under a name of this process alone: replicas that start together may share
 * DATA_DIR, and only one of them makes the user.
 */
export async function keepBootstrapPassword(dataDir: string, password: string): Promise<KeptPassword> {
  const file = join(await prepareDataDir(dataDir), fileName);
  const draft = `${file}.${randomBytes(8).toString("hex")}`;
  let current = draft;
  await writeFile(draft, `${password}\n`, { mode: 0o600, flush: true, flag: "wx" });
  return {
    async publish() {
      await rename(draft, file).catch(async (error: unknown) => {
        // A replica that shares the folder has found the draft meanwhile, and done the same.
        if (!(await exists(file))) throw error;
      });
      current = file;
      return file;
    },
    remove: () => rm(current, { force: true }),
  };
}

/**
 * Finds the file that holds the first user's password. A start that was killed after it had made the
 * user left it under the other name; it gets its known one now.
 *
 * @param isRight whether a password is the first user's: a replica that makes no user has a draft too, and may
 *   not have removed it yet
 * @returns null where there is none, or DATA_DIR cannot be read
 */
export async function findBootstrapPassword(
  dataDir: string,
  isRight: (password: string) => Promise<boolean>,
): Promise<string | null> {
  const file = join(dataDir, fileName);
  const names = await readdir(dataDir).catch((): string[] => []);
  if (names.includes(fileName)) return file;
  for (const draft of names.filter((name) => draftForm.test(name))) {
    const path = join(dataDir, draft);
    const password = await readFile(path, "utf8").catch(() => null);
    if (password === null || !(await isRight(password.trimEnd()))) continue;
    // A link refuses to replace what a replica publishes at this moment.
    await link(path, file).then(
      () => rm(path, { force: true }),
      () => undefined,
    );
    return (await exists(file)) ? file : null;
  }
  return null;
}
