import type { AuditRow, ListPosition } from "../domain/audit/audit-trail.ts";
import { auditRecord } from "../domain/audit/write-events.ts";
import { auditFilterOptions, auditUntilOption, readAuditFilter, withUser } from "./audit-filter.ts";
import {
  type Command,
  type CommandInput,
  hasOption,
  jsonOption,
  stringOption,
  UsageError,
} from "./command.ts";
import { isOutputClosed, printError, printJson } from "./output.ts";
import { auditCells, auditTitles } from "./present-audit-row.ts";
import { createTable } from "./table.ts";
import { withCore } from "./with-core.ts";

const pageSize = 500;

/** `countersign audit list`. */
export const auditList: Command = {
  name: "audit list",
  operands: [],
  summary: "list security events, the newest first",
  details: [
    "docs/audit.md says what is recorded, and what is not.",
    "",
    "  countersign audit list --user alice --type login.failed --since 24h",
  ],
  options: {
    ...auditFilterOptions,
    ...auditUntilOption,
    limit: { value: "COUNT", help: "at most this many; 100 by default" },
    ...jsonOption,
  },
  async run(input) {
    const filter = readAuditFilter(input);
    const limit = readLimit(input);
    const table = createTable(auditTitles);
    let count = 0;
    await withCore(async (core) => {
      const wanted = await withUser(filter, input, core);
      let after: ListPosition | null = null;
      for (;;) {
        const size = Math.min(pageSize, limit - count);
        const page: AuditRow[] = await core.auditTrail.list(wanted, after, size);
        for (const row of page) {
          if (hasOption(input, "json")) printJson(auditRecord(row));
          else table.add(auditCells(row));
        }
        count += page.length;
        after = page.at(-1) ?? null;
        if (page.length < size || count === limit || isOutputClosed()) return;
      }
    });
    if (count === 0) printError("There are no such events.");
    else if (!hasOption(input, "json")) table.end();
    return 0;
  },
};

function readLimit(input: CommandInput): number {
  const text = stringOption(input, "limit") ?? "100";
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError("--limit must be a whole number above 0.");
}
