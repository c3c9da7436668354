import { loadConfig } from "../config/config.ts";
import type { Users } from "../domain/user/users.ts";
import { createLogger } from "../ops/logger.ts";
import { openStores } from "../start/open-stores.ts";
import { createUserParts } from "../start/user-parts.ts";

/**
 * Runs a command on the users. Where the service is running on an embedded database, that one is
 * used; where it is not, the database is started for as long as the command takes.
 */
export async function withUsers<T>(use: (users: Users) => Promise<T>): Promise<T> {
  const config = loadConfig();
  const stores = await openStores(config, createLogger("silent", false), { joinRunning: true });
  try {
    return await use(createUserParts(config, stores.db).users);
  } finally {
    await stores.close();
  }
}
