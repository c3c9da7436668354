import type { Config } from "../../config/config.ts";

/**
 * A worker's part of what the configuration allows the instance. Connections are handed to the worker that has fewest, so
 * that equal parts are as good as one count.
 */
export function shareOfConfig(config: Config): Config {
  const { workers, database } = config;
  const partOf = (whole: number): number => Math.ceil(whole / workers);
  return {
    ...config,
    database: { ...database, poolMax: Math.max(1, Math.floor(database.poolMax / workers)) },
    connectionsMax: partOf(config.connectionsMax),
    requestsMax: partOf(config.requestsMax),
    streamsMax: partOf(config.streamsMax),
  };
}
