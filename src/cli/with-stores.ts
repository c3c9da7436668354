import type { Config } from "../config/config.ts";
import { createLogger } from "../ops/logger.ts";
import { openStores, type Stores } from "../start/open-stores.ts";
import { readConfig } from "../start/read-config.ts";
import { endOnSignal } from "./end-on-signal.ts";

/**
 * Runs a command on the database. Where the service is running on an embedded one, that is used; where
 * it is not, the database is started for as long as the command takes.
 *
 * @param options `waitMs`: how long to wait for a database that cannot be reached yet
 */
export async function withStores<T>(
  options: { readonly waitMs: number },
  use: (stores: Stores, config: Config) => Promise<T>,
): Promise<T> {
  const config = readConfig();
  endOnSignal();
  const log = createLogger("silent", false);
  const stores = await openStores(config, log, { joinRunning: true, waitMs: options.waitMs });
  try {
    return await use(stores, config);
  } finally {
    await stores.close();
  }
}
