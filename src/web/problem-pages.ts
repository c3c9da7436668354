import { type FieldCode, fieldCodes } from "../errors/field-codes.ts";
import { type Reason, reasons, type ReasonSpec } from "../errors/reasons.ts";
import type { Page, Site } from "../lib/site.ts";
import { createHtmlPage, textToHtml } from "./html-page.ts";
import type { SiteOptions } from "./site-options.ts";

// These pages have no script and connect to nothing.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'";

const entries = Object.entries(reasons) as [Reason, ReasonSpec][];

/**
 * The pages of reasons, for people. Each reason has one at `/problems/<reason>`, and the `type` of problems points to
 * it; `/problems` lists them.
 */
export function createProblemPages(options: SiteOptions): Site {
  const root = `${options.basePath}/problems`;
  const page = (title: string, text: string) => (): Page => {
    const content = `<main class="problem">\n${text}\n</main>`;
    return createHtmlPage({ title, policy, content }, options);
  };
  return new Map([
    [root, page("Problems", list(root))],
    ...entries.map(
      ([reason, spec]) => [`${root}/${reason}`, page(spec.title, describe(reason, spec, root))] as const,
    ),
  ]);
}

function describe(
  reason: Reason,
  { title, status, oauthStatus, code, oauthError, help }: ReasonSpec,
  root: string,
): string {
  const rows = [
    ["Reason", reason],
    ["REST status", String(status)],
    ...(oauthStatus === status ? [] : [["Status at the OAuth endpoints", String(oauthStatus)]]),
    ["gRPC code", code],
    ...(oauthError === null ? [] : [["OAuth error", oauthError]]),
  ];
  return `<p class="kind">A reason why a request can fail</p>
<h1>${textToHtml(title)}</h1>
<p>${textToHtml(help)}</p>
${definitions(rows.map(([name = "", value]) => [name, `<code>${value}</code>`]))}
${reason === "validation_failed" || reason === "malformed_request" ? codes() : ""}
<p><a href="${root}">All reasons</a></p>`;
}

function list(root: string): string {
  const rows = entries.map(([reason, { title }]): [string, string] => [
    `<a href="${root}/${reason}"><code>${reason}</code></a>`,
    textToHtml(title),
  ]);
  return `<h1>Why a request can fail</h1>
<p>Every failure has a reason, the same over every protocol.</p>
${definitions(rows)}
${codes()}`;
}

function codes(): string {
  const rows = (Object.entries(fieldCodes) as [FieldCode, string][]).map(([code, text]): [string, string] => [
    `<code>${code}</code>`,
    textToHtml(text),
  ]);
  return `<h2>What can be wrong with a field</h2>
${definitions(rows)}`;
}

/** @param rows both parts as HTML */
function definitions(rows: readonly (readonly [string, string])[]): string {
  return `<dl>
${rows.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join("\n")}
</dl>`;
}
