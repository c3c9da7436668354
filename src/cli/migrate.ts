import { type Command, hasOption } from "./command.ts";
import { printJson, printLine } from "./output.ts";

const waitMs = 60_000;

/** `countersign migrate`: what the service does at its start, alone, for deployments that do it beforehand. */
export const migrateCommand: Command = {
  name: "migrate",
  operands: [],
  summary: "bring the database's schema up to date",
  details: [
    "The service does it at its start, too. Instances that start together wait for one another.",
    "No other command does. It makes and drops months of the audit trail as well.",
    "A database that cannot be reached yet is waited for, for a minute.",
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
