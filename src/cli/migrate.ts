import { type Command, hasOption } from "./command.ts";
import { printJson, printLine } from "./output.ts";

const waitMs = 60_000;

/** `countersign migrate`: only the migrations of a start, for deployments that run them beforehand. */
export const migrateCommand: Command = {
  name: "migrate",
  operands: [],
  summary: "bring the database's schema up to date",
  details: [
    "The service does this at its start, too; instances that start together wait for one another.",
    "No other command does. It also makes and drops months of the audit trail.",
    "It waits up to a minute for a database that cannot be reached yet.",
  ],
  options: { json: { help: "print JSON" } },
  async run(input) {
    const { withStores } = await import("./with-stores.ts");
    const { buildAudit } = await import("../app/build-audit.ts");
    const { noEvents } = await import("../domain/events.ts");
    const applied = await withStores({ waitMs, migrate: true }, async ({ db, migrated }, config) => {
      await buildAudit(db, noEvents, config.auditRetentionMs).tendMonths();
      return migrated;
    });
    if (hasOption(input, "json")) {
      printJson({ applied });
      return 0;
    }
    for (const name of applied) printLine(`applied ${name}`);
    printLine("The schema is up to date.");
    return 0;
  },
};
