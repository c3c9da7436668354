import type { AuditTrail } from "../../domain/audit/audit-trail.ts";
import { type AuditForm, auditForms, findAuditForm } from "../../domain/audit/write-events.ts";
import { invalidFields } from "../../errors/invalid.ts";
import type { AuditService } from "../../gen/countersign/v1/audit_pb.ts";
import type { Handler } from "../handler.ts";
import { requireGoingOn } from "../reading/stream-end.ts";
import { readAuditFilter } from "./read-audit-filter.ts";

/** AuditService.ExportAuditEvents: GET /admin/audit-events:export. */
export function exportAuditEventsRpc(
  trail: Pick<AuditTrail, "readAll">,
): Handler<typeof AuditService.method.exportAuditEvents> {
  return async function* exportAuditEvents(request, call) {
    const filter = readAuditFilter(request);
    const name = request.format === "" ? "ndjson" : request.format;
    const form = readForm(name);
    call.setHeader("content-disposition", `attachment; filename="audit-events.${name}"`);
    let lines = [...form.head];
    for await (const page of trail.readAll(filter)) {
      requireGoingOn(call.signal);
      lines.push(...page.map((row) => form.line(row)));
      const text = lines.map((each) => each + form.lineEnd).join("");
      yield { contentType: form.contentType, data: Buffer.from(text) };
      lines = [];
    }
  };
}

function readForm(name: string): AuditForm {
  const form = findAuditForm(name);
  if (form !== undefined) return form;
  const detail = `must be ${Object.keys(auditForms).join(" or ")}`;
  throw invalidFields([{ field: "format", code: "bad_form", detail }]);
}
