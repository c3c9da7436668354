import { type Reason, reasons, type ReasonSpec } from "../domain/errors.ts";
import type { Exchange } from "./exchange.ts";
import { answerOtherMethods } from "./only-get.ts";

/**
 * The pages that the `type` of problems points to: `/problems/<reason>`, for people.
 *
 * @param basePath BASE_PATH
 * @returns whether the request was for such a page, and is answered
 */
export function createProblemPages(basePath: string): (exchange: Exchange) => boolean {
  const pages = new Map<string, Buffer>();
  for (const [reason, spec] of Object.entries(reasons) as [Reason, ReasonSpec][]) {
    if (spec.help === null) continue;
    pages.set(`${basePath}/problems/${reason}`, Buffer.from(page(reason, spec, spec.help)));
  }
  return (exchange) => {
    const body = pages.get(exchange.path.replace(/\/$/, ""));
    if (body === undefined) return false;
    if (answerOtherMethods(exchange)) return true;
    exchange.reply({
      status: 200,
      headers: {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": "default-src 'none'",
        "cache-control": "public, max-age=3600",
      },
      body,
    });
    return true;
  };
}

function page(reason: Reason, spec: ReasonSpec, help: string): string {
  const rows = [
    ["Reason", reason],
    ["REST status", String(spec.status)],
    ["gRPC code", spec.code],
    ...(spec.oauthError === null ? [] : [["OAuth error", spec.oauthError]]),
  ];
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>${spec.title} - Countersign</title></head>
<body>
<h1>${spec.title}</h1>
<p>${help.replaceAll("<", "&lt;")}</p>
<dl>
${rows.map(([name, value]) => `<dt>${name}</dt><dd><code>${value}</code></dd>`).join("\n")}
</dl>
</body>
</html>
`;
}
