/**
 * One record of CSV (RFC 4180), without the line break after it. A text that a spreadsheet would take for a formula gets
 * an apostrophe in front, which makes it a text there.
 */
export function csvLine(fields: readonly (string | number)[]): string {
  return fields.map((field) => (typeof field === "number" ? String(field) : quote(disarm(field)))).join(",");
}

// Signs that begin a formula, also in their full width, and those that some programs skip before one.
const formulaStart = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;

function disarm(text: string): string {
  return formulaStart.test(text) ? `'${text}` : text;
}

function quote(text: string): string {
  return /[",\r\n\t;']/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
