import { auditFilterOptions, readAuditFilter, withUser } from "./audit-filter.ts";
import { type Command, hasOption, jsonOption } from "./command.ts";
import { isOutputClosed, printJson, printLine } from "./output.ts";
import { auditCells, presentAuditRow } from "./present-audit-row.ts";
import { withCore } from "./with-core.ts";

const pollMs = 500;

/** `countersign audit follow`. */
export const auditFollow: Command = {
  name: "audit follow",
  operands: [],
  summary: "print security events as they happen, until you stop it",
  details: [
    "Prints the events of all replicas, from now on or since a time, each of them once. An",
    "event appears when every database transaction that began before its own has ended.",
  ],
  options: { ...auditFilterOptions, ...jsonOption },
  async run(input) {
    const filter = readAuditFilter(input);
    await withCore(async (core) => {
      const wanted = await withUser(filter, input, core);
      const ending = new AbortController();
      for await (const row of core.auditTrail.follow(wanted, pollMs, ending.signal)) {
        if (hasOption(input, "json")) printJson(presentAuditRow(row));
        else printLine(auditCells(row).join("  "));
        if (isOutputClosed()) return;
      }
    });
    return 0;
  },
};
