import { loadConfig } from "../config/config.ts";
import { createLogger } from "../ops/logger.ts";
import { openStores } from "../start/open-stores.ts";
import { type Command, printLine } from "./command.ts";

/** `countersign migrate`: what the service does at its start, alone, for deployments that do it beforehand. */
export const migrateCommand: Command = {
  usage: "migrate",
  summary: "bring the database's schema up to date (the service does it at its start, too)",
  options: {},
  operandCount: 0,
  async run() {
    const config = loadConfig();
    const stores = await openStores(config, createLogger(config.logLevel, process.stdout.isTTY), {
      joinRunning: true,
    });
    await stores.close();
    printLine("the schema is up to date");
    return 0;
  },
};
