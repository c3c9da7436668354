import type { Page } from "../lib/site.ts";
import { assetsPath, type SiteOptions } from "./site-options.ts";

/** The parts in which one HTML page differs from others. */
export interface HtmlPage {
  readonly title: string;
  /** What the page may load (a content security policy). No page may be framed or send a form. */
  readonly policy: string;
  /** The assets that it needs beside those of every page. */
  readonly styles?: readonly string[];
  readonly scripts?: readonly string[];
  /** Its content as HTML, ready to be shown, with the main landmark in it. */
  readonly content: string;
}

/** An HTML page in the common style. It runs nothing inline, and cannot be framed. */
export function createHtmlPage(page: HtmlPage, options: SiteOptions): Page {
  return {
    contentType: "text/html; charset=utf-8",
    headers: {
      // These three do not fall back to default-src.
      "content-security-policy": `${page.policy}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`,
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
    },
    body: Buffer.from(render(page, options)),
  };
}

/** A text as HTML; text between backticks becomes code. */
export function textToHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll(/`([^`]*)`/g, "<code>$1</code>");
}

function render({ title, styles = [], scripts = [], content }: HtmlPage, options: SiteOptions): string {
  const { basePath, referencePage } = options;
  const assets = assetsPath(options);
  const links = [
    ...(referencePage ? [["Reference", "/docs"]] : []),
    ["OpenAPI (YAML)", "/openapi.yaml"],
    ["OpenAPI (JSON)", "/openapi.json"],
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} - Countersign</title>
<link rel="icon" type="image/svg+xml" href="${assets}/icon.svg">
${[...styles, "site.css"].map((name) => `<link rel="stylesheet" href="${assets}/${name}">`).join("\n")}
${scripts.map((name) => `<script src="${assets}/${name}" defer></script>`).join("\n")}
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header class="site">
<p><img src="${assets}/icon.svg" alt="" width="28" height="28"> Countersign</p>
<nav aria-label="Site">${links.map(([text, path]) => `<a href="${basePath}${path}">${text}</a>`).join(" ")}</nav>
</header>
<div class="page" id="content" tabindex="-1">
${content}
</div>
</body>
</html>
`;
}
