import type { Config } from "../config/config.ts";
import { byService } from "../domain/audit/audit-event.ts";
import { AppError } from "../errors/app-error.ts";
import { ownWork } from "../domain/password/queue/admission.ts";
import type { User } from "../domain/user/user.ts";
import { generatePassword, type Users } from "../domain/user/users.ts";
import type { Log } from "../ops/logger.ts";
import { findBootstrapPassword, type KeptPassword, keepBootstrapPassword } from "./bootstrap-password.ts";
import type { Core } from "./core.ts";

/** The user that a first start has made. */
export interface BootstrapUser {
  readonly username: string;
  /** For the start screen of a terminal; null where it came from outside or stays in a file. */
  readonly password: string | null;
  /** Removes the file that keeps the password, once a person has seen it. */
  forgetPassword(): Promise<void>;
}

/**
 * Makes the first user, with the role `admin`, while there is no user at all. However many replicas
 * start together, one makes it.
 *
 * A random password is kept in `DATA_DIR/bootstrap-password` (0600) and the file named in the log; it
 * is in no log itself. A terminal is shown the password in place of the file's name.
 *
 * @returns null where there was a user already
 * @throws Error where BOOTSTRAP_USERNAME or BOOTSTRAP_PASSWORD will not do
 */
export async function bootstrapUser(
  config: Config,
  { users, hasher }: Pick<Core, "users" | "hasher">,
  log: Log,
  onTerminal: boolean,
): Promise<BootstrapUser | null> {
  if (!(await users.isEmpty())) {
    await remindOfPassword(config, log, async (password) => {
      const first = await users.findForLogin(config.bootstrap.username);
      if (first === null) return false;
      return (await hasher.verify(first.passwordHash, password, ownWork)) === "right";
    });
    return null;
  }
  const { username, password } = config.bootstrap;
  if (password !== null) {
    const created = await createFirst(users, username, password);
    if (created !== null) log.info({ username }, "the first user was made");
    return created && { username, password: null, forgetPassword: () => Promise.resolve() };
  }
  return createWithRandomPassword(config, users, log, onTerminal);
}

async function createWithRandomPassword(
  config: Config,
  users: Users,
  log: Log,
  onTerminal: boolean,
): Promise<BootstrapUser | null> {
  const { username } = config.bootstrap;
  const password = generatePassword();
  // Kept before the user is made, on a terminal too: a start that fails in between, on a port in use
  // for example, leaves a file too many, and not a password too few.
  const kept = await keepPassword(config, password);
  let created: User | null = null;
  try {
    created = await createFirst(users, username, password);
  } finally {
    if (created === null) await kept.remove();
  }
  if (created === null) return null;
  const file = await kept.publish();
  log.info({ username }, "the first user was made");
  if (onTerminal) return { username, password, forgetPassword: () => kept.remove() };
  log.warn({ username, file }, "the first user's password is in this file; change it and delete the file");
  return { username, password: null, forgetPassword: () => Promise.resolve() };
}

async function createFirst(users: Users, username: string, password: string): Promise<User | null> {
  try {
    const draft = { username, email: null, password, status: "active", roles: ["admin"] } as const;
    return await users.createFirst(draft, byService);
  } catch (error) {
    if (!(error instanceof AppError) || error.reason !== "validation_failed") throw error;
    const problems = error.fields.map(({ field, detail }) => `BOOTSTRAP_${field.toUpperCase()} ${detail}.`);
    throw new Error(`The first user cannot be made: ${problems.join(" ")}`, { cause: error });
  }
}

async function keepPassword(config: Config, password: string): Promise<KeptPassword> {
  try {
    return await keepBootstrapPassword(config.dataDir, password);
  } catch (cause) {
    const advice = "set BOOTSTRAP_PASSWORD, or let DATA_DIR be a folder that can be written to";
    throw new Error(`The first user's password cannot be kept in ${config.dataDir}: ${advice}.`, { cause });
  }
}

async function remindOfPassword(
  config: Config,
  log: Log,
  isRight: (password: string) => Promise<boolean>,
): Promise<void> {
  const file = await findBootstrapPassword(config.dataDir, isRight);
  if (file === null) return;
  log.warn({ file }, "the first user's password is still in this file; change it and delete the file");
}
