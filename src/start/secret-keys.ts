import { randomBytes } from "node:crypto";
import { link, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { prepareDataDir } from "../postgres/embedded/home.ts";

/**
 * The secrets of SECRET_KEY; where it is not set, one that is made once and kept, 0600, in
 * `DATA_DIR/secret-key`.
 */
export async function openSecretKeys(config: Config): Promise<readonly string[]> {
  if (config.secretKeys !== null) return config.secretKeys;
  const file = join(await prepareDataDir(config.dataDir), "secret-key");
  const kept = await readIfThere(file);
  if (kept !== null) return [kept];
  // Through a name of its own and a link: a kill leaves no half-written secret, and of two that start
  // together one wins.
  const draft = `${file}.${randomBytes(8).toString("hex")}`;
  await writeFile(draft, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600, flush: true });
  try {
    await link(draft, file);
  } catch (error) {
    if (!(Error.isError(error) && "code" in error && error.code === "EEXIST")) throw error;
  } finally {
    await rm(draft, { force: true });
  }
  const made = await readIfThere(file);
  if (made === null) throw new Error(`the secret key ${file} cannot be read back`);
  return [made];
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    if (Error.isError(error) && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}
