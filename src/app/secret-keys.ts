import { randomBytes } from "node:crypto";
import { link, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Config } from "../config/config.ts";
import { codeOf, syncFolder } from "../lib/files.ts";
import { prepareDataDir, requireOwnFolder } from "../postgres/embedded/home.ts";

const fileName = "secret-key";
const secretCharsMin = 32;

/**
 * The secrets of SECRET_KEY; where it is not set, one that is made once and kept, 0600, in
 * `DATA_DIR/secret-key`.
 *
 * @throws Error where the kept one is damaged
 */
export async function openSecretKeys(config: Config): Promise<readonly string[]> {
  const found = await findSecretKeys(config);
  if (found !== null) return found;
  const dataDir = await prepareDataDir(config.dataDir);
  await requireOwnFolder(dataDir);
  const file = join(dataDir, fileName);
  await makeSecret(file);
  const made = await readKept(file);
  if (made === null) throw new Error(`The file ${file} cannot be read back.`);
  return [made];
}

/**
 * The secrets that a start would use; null where it would make one. Changes nothing.
 *
 * @throws Error where the kept one is damaged or cannot be read
 */
export async function findSecretKeys(config: Config): Promise<readonly string[] | null> {
  if (config.secretKeys !== null) return config.secretKeys;
  const kept = await readKept(join(config.dataDir, fileName));
  return kept === null ? null : [kept];
}

/**
 * Through a name of its own and a link: a kill leaves no half-written secret, and of two that start
 * together one wins.
 */
async function makeSecret(file: string): Promise<void> {
  const draft = `${file}.${randomBytes(8).toString("hex")}`;
  await writeFile(draft, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600, flush: true });
  try {
    await link(draft, file);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  } finally {
    await rm(draft, { force: true });
  }
  // What the database will hold hangs on it: the name must survive a power loss as well as the data.
  await syncFolder(dirname(file));
}

async function readKept(file: string): Promise<string | null> {
  let secret: string;
  try {
    secret = (await readFile(file, "utf8")).trim();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
  if (secret.length >= secretCharsMin) return secret;
  throw new Error(`The file ${file} holds no whole secret: restore it from a copy.`);
}
