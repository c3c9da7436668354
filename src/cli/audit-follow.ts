import { auditRecord } from "../domain/audit/write-events.ts";
import { auditFilterOptions, readAuditFilter, withUser } from "./audit-filter.ts";
import { type Command, hasOption, jsonOption } from "./command.ts";
import { isOutputClosed, printJson, printLine } from "./output.ts";
import { auditCells } from "./present-audit-row.ts";
import { withCore } from "./with-core.ts";

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
      const { signal } = new AbortController();
      for await (const { row } of core.auditTrail.follow(wanted, { from: null, untilNow: false, signal })) {
        if (isOutputClosed()) return;
        if (row === null) continue;
        if (hasOption(input, "json")) printJson(auditRecord(row));
        else printLine(auditCells(row).join("  "));
      }
    });
    return 0;
  },
};
