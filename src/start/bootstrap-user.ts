import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { generatePassword, type Users } from "../domain/user/users.ts";
import type { Log } from "../ops/logger.ts";
import { prepareDataDir } from "../postgres/embedded/home.ts";

/** The user that a first start has made. */
export interface BootstrapUser {
  readonly username: string;
  /** For the start screen of a terminal; null where it came from outside or is kept in a file. */
  readonly password: string | null;
}

/**
 * Makes the first user, with the role `admin`, while there is no user at all. However many replicas
 * start together, one makes it.
 *
 * A random password is shown on a terminal, and otherwise written to `DATA_DIR/bootstrap-password`
 * (0600) and the file named in the log; it is in no log itself.
 *
 * @returns null where there was a user already
 */
export async function bootstrapUser(
  config: Config,
  users: Users,
  log: Log,
  onTerminal: boolean,
): Promise<BootstrapUser | null> {
  if (!(await users.isEmpty())) return null;
  const { username } = config.bootstrap;
  const password = config.bootstrap.password ?? generatePassword();
  const draft = { username, email: null, password, status: "active", roles: ["admin"] } as const;
  const keepInFile = config.bootstrap.password === null && !onTerminal;
  // Written before the user is: a kill in between leaves a file too many, and not a password too few.
  const file = keepInFile ? await keepPassword(config, password) : null;
  const created = await users.createFirst(draft);
  if (created === null) {
    if (file !== null) await rm(file, { force: true });
    return null;
  }
  log.info({ username }, "the first user was made");
  if (file !== null) {
    log.warn({ username, file }, "the first user's password is in this file; change it and delete the file");
  }
  return { username, password: config.bootstrap.password === null && onTerminal ? password : null };
}

async function keepPassword(config: Config, password: string): Promise<string> {
  const file = join(await prepareDataDir(config.dataDir), "bootstrap-password");
  await rm(file, { force: true });
  await writeFile(file, `${password}\n`, { mode: 0o600, flush: true, flag: "wx" });
  return file;
}
