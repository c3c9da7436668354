import { chmod, chown, mkdtemp, readdir, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "../../config/config.ts";
import { exists } from "../../lib/files.ts";
import { type ConnectionTarget, parseDatabaseUrl } from "../../postgres/connection-string.ts";
import { findRunningPostgres } from "../../postgres/embedded/find-running-postgres.ts";
import { findForeignHand, findHomeFolder } from "../../postgres/embedded/home.ts";
import { findIdentity, isRoot } from "../../postgres/embedded/identity.ts";
import { findPrograms } from "../../postgres/embedded/programs.ts";
import { fail, type Finding, ok } from "./finding.ts";

const name = "embedded PostgreSQL";

/**
 * Finds the database, and reports on the embedded one.
 *
 * @returns target: null if there is none to connect to: the embedded one runs only while the service does
 */
export async function findDatabase(
  config: Config,
): Promise<{ readonly target: ConnectionTarget | null; readonly findings: Finding[] }> {
  if (config.database.url !== null) return { target: parseDatabaseUrl(config.database.url), findings: [] };
  try {
    const target = await findRunningPostgres(config.dataDir);
    if (target !== null) {
      return { target, findings: [ok(name, `it runs, for the service that holds ${config.dataDir}`)] };
    }
  } catch (error) {
    const found = Error.isError(error) ? error.message.replace(/\.$/, "") : "its lock cannot be read";
    return { target: null, findings: [fail(name, found, "run the doctor as the service's user")] };
  }
  return { target: null, findings: [await checkPrograms(config)] };
}

async function checkPrograms(config: Config): Promise<Finding> {
  const home = await realpath(config.dataDir).then(findHomeFolder, () => null);
  const dataFolder = join(home ?? join(config.dataDir, "postgres"), "data");
  const state = (await exists(join(dataFolder, "PG_VERSION")))
    ? "the database exists, and starts with the service"
    : "there is no database yet: the first start makes it";
  // In a temporary folder, since the search for working programs may copy them.
  const isKept = home !== null && (!isRoot() || (await findForeignHand(config.dataDir)) === null);
  const scratch = await mkdtemp(join(isKept ? config.dataDir : tmpdir(), "doctor-"));
  try {
    const identity = await findIdentity(dataFolder);
    if (isRoot()) await chown(scratch, 0, identity.gid);
    await chmod(scratch, isRoot() ? 0o710 : 0o700);
    await linkCopies(home, scratch);
    const { version } = await findPrograms({ folder: scratch, dataFolder, identity }, config.searchPath);
    return ok(name, `version ${version} runs here; ${state}`);
  } catch (error) {
    const found = Error.isError(error) ? error.message.replace(/\.$/, "") : "its programs do not run";
    return fail(name, found, "run npm ci again, install PostgreSQL 15 or newer, or set DATABASE_URL");
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Links the copies that an earlier start has made, so that they are used where they are. */
async function linkCopies(home: string | null, scratch: string): Promise<void> {
  const names = home === null ? [] : await readdir(home).catch((): string[] => []);
  for (const copy of names.filter((entry) => /^programs-\d/.test(entry))) {
    await symlink(join(home ?? "", copy), join(scratch, copy));
  }
}
