import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { parse } from "yaml";
import { fieldCodes } from "../../src/errors/field-codes.ts";
import { reasons } from "../../src/errors/reasons.ts";
import { startService, type TestService } from "../_harness/service.ts";

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const app = "https://app.example.com";

let service: TestService;
let without: TestService;
beforeAll(async () => {
  service = await startService({ env: { CORS_ORIGINS: app } });
  without = await startService({
    env: {
      REFERENCE_PAGE: "off",
      BASE_PATH: "/api",
      ISSUER: "https://id.example.net",
      AUTH_MODE_HEADER: "X-Session",
    },
  });
}, 240_000);
afterAll(async () => {
  await service.stop();
  await without.stop();
});

const pages: [path: string, contentType: string][] = [
  ["/docs", "text/html; charset=utf-8"],
  ["/docs/", "text/html; charset=utf-8"],
  ["/openapi.json", "application/json"],
  ["/openapi.yaml", "application/yaml"],
  ["/problems", "text/html; charset=utf-8"],
  ["/problems/invalid_scope", "text/html; charset=utf-8"],
  ["/site/icon.svg", "image/svg+xml"],
  ["/site/reference.css", "text/css; charset=utf-8"],
  ["/site/reference.js", "text/javascript; charset=utf-8"],
  ["/site/site.css", "text/css; charset=utf-8"],
  ["/site/swagger-ui-bundle.js", "text/javascript; charset=utf-8"],
  ["/site/swagger-ui.css", "text/css; charset=utf-8"],
];

describe.each(pages)("%s", (path, contentType) => {
  const ask = (init: { method?: string; headers?: Record<string, string> } = {}) =>
    fetch(service.url + path, { ...init, headers: { "accept-encoding": "identity", ...init.headers } });

  test("is served with its type, and asked for again each time", async () => {
    const answer = await ask();
    const body = await answer.arrayBuffer();
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "content-type": contentType,
      "content-length": String(body.byteLength),
      "cache-control": "public, no-cache",
      etag: expect.stringMatching(/^"[\w-]{22}"$/),
      vary: "Origin, accept-encoding",
      "x-content-type-options": "nosniff",
    });
    expect([answer.status, body.byteLength > 0]).toEqual([200, true]);
  });

  test("is not sent again to who has it", async () => {
    const etag = (await ask()).headers.get("etag") ?? "";
    const { headers } = await ask({ headers: { "if-none-match": etag, origin: app } });
    expect([headers.get("vary"), headers.get("access-control-allow-origin")]).toEqual([
      "Origin, accept-encoding",
      app,
    ]);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const answer = await ask({ headers: { "if-none-match": known } });
      expect([answer.status, answer.headers.get("etag"), await answer.text()]).toEqual([304, etag, ""]);
      expect(answer.headers.get("content-length")).toBeNull();
    }
    expect((await ask({ headers: { "if-none-match": '"other"' } })).status).toBe(200);
  });

  test("answers HEAD as GET, OPTIONS, and no other method", async () => {
    const [get, head] = [await ask(), await ask({ method: "HEAD" })];
    expect(await head.text()).toBe("");
    for (const name of ["content-type", "content-length", "etag"]) {
      expect(head.headers.get(name)).toBe(get.headers.get(name));
    }
    const [options, post] = [await ask({ method: "OPTIONS" }), await ask({ method: "POST" })];
    expect([options.status, options.headers.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS"]);
    expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
  });

  test("is compressed for who takes that, as a page of its own for caches", async () => {
    const plain = await ask();
    const zipped = await ask({ headers: { "accept-encoding": "br, gzip;q=0.5" } });
    const isSmall = Number(plain.headers.get("content-length")) < 1024;
    expect(zipped.headers.get("content-encoding")).toBe(isSmall ? null : "gzip");
    expect(zipped.headers.get("etag") === plain.headers.get("etag")).toBe(isSmall);
    expect(await zipped.text()).toBe(await plain.text());
    const refused = await ask({ headers: { "accept-encoding": "gzip;q=0" } });
    expect(refused.headers.get("content-encoding")).toBeNull();
  });
});

test("the reference page has the strict policy, nothing inline, and cannot be framed", async () => {
  const answer = await fetch(`${service.url}/docs`);
  const html = await answer.text();
  expect(answer.headers.get("content-security-policy")).toBe(policy);
  expect(answer.headers.get("x-frame-options")).toBe("DENY");
  expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/);
  // All from our origin.
  expect([...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address = ""]) => address)).toEqual(
    expect.not.arrayContaining([expect.stringMatching(/^(?!\/(?!\/)|#)/)]),
  );
});

test("every page forbids framing and forms, and fixes the base of its links", async () => {
  for (const path of ["/docs", "/problems/invalid_scope", "/problems/permission_denied"]) {
    const policyOf = (await fetch(service.url + path)).headers.get("content-security-policy");
    expect(policyOf).toMatch(/; frame-ancestors 'none'; base-uri 'none'; form-action 'none'$/);
  }
});

test("the root leads to the reference page, and nowhere where there is none", async () => {
  const based = await startService({ env: { BASE_PATH: "/api" } });
  const lead = async (url: string) => {
    const { status, headers } = await fetch(url, { redirect: "manual" });
    return [status, headers.get("location")];
  };
  try {
    expect(await lead(`${service.url}/`)).toEqual([302, "/docs"]);
    for (const path of ["/", "/api", "/api/"]) {
      expect(await lead(based.url + path)).toEqual([302, "/api/docs"]);
    }
    expect((await fetch(`${based.url}/`)).url).toBe(`${based.url}/api/docs`);
    expect(await lead(`${service.url}/?next=//evil.example`)).toEqual([302, "/docs"]);
  } finally {
    await based.stop();
  }
  for (const path of ["/", "/api", "/api/"]) {
    expect(await lead(without.url + path)).toEqual([404, null]);
  }
});

test.each([
  "/site/",
  "/site/..",
  "/site/../package.json",
  "/site/%2e%2e/package.json",
  "/site/..%2f..%2fpackage.json",
  "/site/swagger-ui.js",
  "/docs/site.css",
  "/site/__proto__",
])("%s is not there", async (path) => {
  // fetch would take the dots out.
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  const { request } = await import("node:http");
  request({ host: "127.0.0.1", port: service.port, path }, (answer) => {
    resolve(answer.resume().statusCode);
  }).end();
  expect(await promise).toBe(404);
});

test("the document is the same as JSON and as YAML, with the addresses of ISSUER and BASE_PATH", async () => {
  const [json, yaml] = await Promise.all(
    ["json", "yaml"].map(async (ending) => (await fetch(`${without.url}/api/openapi.${ending}`)).text()),
  );
  const document = JSON.parse(json ?? "") as Record<string, unknown>;
  expect(parse(yaml ?? "")).toEqual(document);
  expect(document).toMatchObject({
    openapi: "3.1.0",
    servers: [{ url: "https://id.example.net/api" }],
    components: {
      securitySchemes: {
        password: { flows: { password: { tokenUrl: "https://id.example.net/api/auth/login" } } },
      },
    },
  });
  expect(json).not.toContain("id.example.org");
});

test("the document names the header field and the cookie as this service has them", async () => {
  const namesOf = async (url: string) => {
    const { components } = (await (await fetch(url)).json()) as {
      components: {
        parameters: { AuthMode: { name: string } };
        securitySchemes: { cookie: { name: string } };
      };
    };
    return [components.parameters.AuthMode.name, components.securitySchemes.cookie.name];
  };
  expect(await namesOf(`${service.url}/openapi.json`)).toEqual(["X-Auth-Mode", "countersign_refresh"]);
  expect(await namesOf(`${without.url}/api/openapi.json`)).toEqual([
    "X-Session",
    "__Host-countersign_refresh",
  ]);
});

test("REFERENCE_PAGE=off takes the page and its files away, and nothing else", async () => {
  const statusOf = async (path: string) => (await fetch(without.url + path)).status;
  expect(await statusOf("/api/docs")).toBe(404);
  expect(await statusOf("/api/site/swagger-ui-bundle.js")).toBe(404);
  expect(await statusOf("/api/openapi.yaml")).toBe(200);
  const problem = await fetch(`${without.url}/api/problems/invalid_scope`);
  expect([problem.status, (await problem.text()).includes("/api/docs")]).toEqual([200, false]);
});

describe("the pages of reasons", () => {
  test.each(Object.entries(reasons))("%s has its own", async (reason, { title, help }) => {
    const answer = await fetch(`${service.url}/problems/${reason}`);
    const html = await answer.text();
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(html).toContain(`<code>${reason}</code>`);
    expect(html).toContain(title);
    expect(help.length).toBeGreaterThan(20);
  });

  test.each(["/problems", "/problems/"])("are listed at %s", async (path) => {
    const html = await (await fetch(service.url + path)).text();
    const links = [...html.matchAll(/href="(\/problems\/[^"]*)"/g)].map(([, link]) => link);
    expect(links).toEqual(Object.keys(reasons).map((reason) => `/problems/${reason}`));
    for (const code of Object.keys(fieldCodes)) expect(html).toContain(`<code>${code}</code>`);
  });

  test("lead to one another under the base path", async () => {
    const list = await (await fetch(`${without.url}/api/problems`)).text();
    expect(list).toContain('href="/api/problems/not_found"');
    const page = await (await fetch(`${without.url}/api/problems/not_found`)).text();
    expect(page).toContain('href="/api/problems"');
    expect((await fetch(`${without.url}/problems`)).status).toBe(404);
  });

  test("say of a refused cookie what it was refused for", async () => {
    const html = await (await fetch(`${service.url}/problems/permission_denied`)).text();
    expect(html).toMatch(/cookies.*CSRF token/s);
  });
});
