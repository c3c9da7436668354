import { type Reason, reasons, type ReasonSpec } from "../domain/errors.ts";
import type { Page, Site } from "../lib/site.ts";
import { createHtmlPage, textToHtml } from "./html-page.ts";
import type { SiteOptions } from "./site-options.ts";

// There is no script here, nor anything to connect to.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'";

/** The pages that the `type` of problems points to: `/problems/<reason>`, for people. */
export function createProblemPages(options: SiteOptions): Site {
  const pages = new Map<string, () => Page>();
  for (const [reason, spec] of Object.entries(reasons) as [Reason, ReasonSpec][]) {
    const { help } = spec;
    if (help === null) continue;
    pages.set(`${options.basePath}/problems/${reason}`, () => {
      const content = `<main class="problem">\n${describe(reason, spec, help)}\n</main>`;
      return createHtmlPage({ title: spec.title, policy, content }, options);
    });
  }
  return pages;
}

function describe(
  reason: Reason,
  { title, status, oauthStatus, code, oauthError }: ReasonSpec,
  help: string,
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
<dl>
${rows.map(([name, value]) => `<div><dt>${name}</dt><dd><code>${value}</code></dd></div>`).join("\n")}
</dl>`;
}
