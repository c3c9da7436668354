import type { Config } from "../config/config.ts";
import { createLogger } from "../ops/logger.ts";
import { parseDatabaseUrl } from "../postgres/connection-string.ts";
import { hasCluster } from "../postgres/embedded/has-cluster.ts";
import { describeTarget } from "../app/describe-target.ts";
import { openStores, type Stores } from "../app/open-stores.ts";
import { readConfig } from "../app/read-config.ts";
import { endOnSignal } from "./end-on-signal.ts";
import { printError } from "./output.ts";

/** What a command needs of its database. */
export interface CommandStores {
  /** How long to wait for a database that cannot be reached yet. */
  readonly waitMs: number;
  /** Whether it may make a database and its tables. Other commands refuse a database that is not up to date: it may be the wrong one. */
  readonly migrate: boolean;
}

/**
 * Runs a command on the database, and prints on standard error which one that is. If the service is running on an
 * embedded database, that one is used; otherwise the database is started for as long as the command takes.
 *
 * @throws Error with a sentence, for the person at the terminal
 */
export async function withStores<T>(
  options: CommandStores,
  use: (stores: Stores, config: Config) => Promise<T>,
): Promise<T> {
  const config = readConfig();
  endOnSignal();
  printError(`Database: ${describeDatabase(config)}`);
  if (!options.migrate && config.database.url === null && !(await hasCluster(config.dataDir))) {
    throw new Error(
      `There is no database in ${config.dataDir} yet: the first start of the service makes it. If the service has another database, set DATABASE_URL.`,
    );
  }
  const log = createLogger("silent", false);
  const stores = await openStores(config, log, { joinRunning: true, ...options });
  try {
    return await use(stores, config);
  } finally {
    await stores.close();
  }
}

function describeDatabase({ database: { url }, dataDir }: Config): string {
  return url === null ? `the embedded one in ${dataDir}` : describeTarget(parseDatabaseUrl(url));
}
