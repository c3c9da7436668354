import type { Config } from "../config/config.ts";
import type { Audit } from "../domain/audit/audit.ts";
import type { HashingObserver } from "../domain/password/queue/admission.ts";
import { createHashQueue, type HashQueue } from "../domain/password/queue/hash-queue.ts";
import { createPasswordHasher, type PasswordHasher } from "../domain/password/password-hasher.ts";
import { createPeppers } from "../domain/password/peppers.ts";
import { createUsers, type Users } from "../domain/user/users.ts";
import { createUserStore } from "../domain/user/user-store.ts";
import type { HashEngine } from "../hashing/hash-work.ts";
import type { Database } from "../postgres/pool.ts";

/** The users with what they are made of: the same for the service and for commands. */
export interface UserParts {
  readonly queue: HashQueue;
  readonly hasher: PasswordHasher;
  readonly users: Users;
}

/**
 * Builds the users on a database.
 *
 * @param engine what computes password hashes
 * @param observer told what happens to those that wait
 */
export function createUserParts(
  config: Config,
  db: Database,
  audit: Pick<Audit, "record">,
  engine: HashEngine,
  observer?: HashingObserver,
): UserParts {
  const queue = createHashQueue({ ...config.hashing, observer });
  const hasher = createPasswordHasher({
    cost: config.argon2,
    peppers: createPeppers(config.passwordPeppers),
    engine,
    queue,
    onUnreadable: (cause) => observer?.onUnreadable(cause),
  });
  return { queue, hasher, users: createUsers({ store: createUserStore(db), hasher, audit }) };
}
