import type { Page, Site } from "../lib/site.ts";
import { createHtmlPage } from "./html-page.ts";
import type { SiteOptions } from "./site-options.ts";

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'";

/**
 * The reference page, `/docs`: Swagger UI with the OpenAPI document, all served from here. The root and the bare
 * BASE_PATH redirect to it.
 */
export function createReferencePage(options: SiteOptions): Site {
  const { basePath } = options;
  const content = `<section aria-labelledby="title">
<div class="welcome">
<h1 id="title">API reference</h1>
<p>Sign in here, then call the service from this page.</p>
<ol>
<li>Press <strong>Authorize</strong>. Under <strong>password</strong>, type your username and password, leave
<code>client_id</code> and <code>client_secret</code> empty, press <strong>Authorize</strong> again, then <strong>Close</strong>.</li>
<li>Open <a href="#operations-Auth-getCurrentUser"><code>GET /auth/me</code></a> and press <strong>Execute</strong>: the
answer is your user.</li>
</ol>
<p class="aside">The first start made a user. It showed the password on the terminal, or wrote it to the file that the
log names. A failed call answers with a <code>reason</code>, and its <code>type</code> is the address of a page that
explains it.</p>
</div>
<h2 class="operations">Operations</h2>
</section>
<div id="reference" data-document="${basePath}/openapi.json"></div>
<noscript><p>This page needs JavaScript. The <a href="${basePath}/openapi.yaml">OpenAPI document</a> does not.</p></noscript>`;
  const page = {
    title: "API reference",
    policy,
    styles: ["swagger-ui.css", "reference.css"],
    scripts: ["swagger-ui-bundle.js", "reference.js"],
    content,
  };
  const pageOf = () => createHtmlPage(page, options);
  const redirect = () => redirectTo(`${basePath}/docs`);
  return new Map([
    [`${basePath}/docs`, pageOf],
    ["", redirect],
    [basePath, redirect],
  ]);
}

/** Redirects the bare address to the page. The redirect is temporary, since REFERENCE_PAGE may switch the page off. */
function redirectTo(path: string): Page {
  return {
    contentType: "text/plain; charset=utf-8",
    status: 302,
    headers: { location: path },
    body: Buffer.from(path),
  };
}
