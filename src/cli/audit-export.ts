import type { AuditRow } from "../domain/audit/audit-trail.ts";
import { type AuditForm, auditForms, findAuditForm } from "../domain/audit/write-events.ts";
import { auditFilterOptions, auditUntilOption, readAuditFilter, withUser } from "./audit-filter.ts";
import { type Command, stringOption, UsageError } from "./command.ts";
import { printError } from "./output.ts";
import { withCore } from "./with-core.ts";
import { outOption, writeLines } from "./write-lines.ts";

/** `countersign audit export`. */
export const auditExport: Command = {
  name: "audit export",
  operands: [],
  summary: "write security events to a file, the newest first",
  details: [
    "The options select events as those of `audit list` do. CSV is for spreadsheets: a text that",
    "one would take for a formula has an apostrophe in front. NDJSON has every text as it is.",
    "",
    "  countersign audit export --format csv --since 2160h --out quarter.csv",
  ],
  options: {
    ...auditFilterOptions,
    ...auditUntilOption,
    format: { value: "FORMAT", help: `${Object.keys(auditForms).join(" or ")}; ndjson by default` },
    ...outOption,
  },
  async run(input) {
    const filter = readAuditFilter(input);
    const form = findAuditForm(stringOption(input, "format") ?? "ndjson");
    if (form === undefined) {
      throw new UsageError(`--format must be one of ${Object.keys(auditForms).join(", ")}.`);
    }
    const count = await withCore(async (core) => {
      const pages = core.auditTrail.readAll(await withUser(filter, input, core));
      return writeLines(toLines(pages, form), stringOption(input, "out"), form.lineEnd);
    });
    printError(`wrote ${count - form.head.length} events`);
    return 0;
  },
};

async function* toLines(pages: AsyncIterable<AuditRow[]>, form: AuditForm): AsyncGenerator<string> {
  yield* form.head;
  for await (const page of pages) yield* page.map((row) => form.line(row));
}
