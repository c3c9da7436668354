import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from "@jest/globals";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { launchChromium } from "../_harness/chromium.ts";
import { root, startService, type TestService } from "../_harness/service.ts";
import { makeCertificates, type TestCertificates } from "../http/certificates.ts";

// A real browser over TLS: the service on id.example.test, a page on app.example.test that is written as
// docs/browsers.md says, and pages that mean harm: of a sibling that is not listed, and of another site.

jest.setTimeout(120_000);

/** What the sample in the docs declares. */
declare function signIn(username: string, password: string): Promise<boolean>;
declare function refresh(): Promise<boolean>;
declare function changePassword(current: string, next: string): Promise<boolean>;
declare function signOut(): Promise<boolean>;
declare const accessToken: string | null;
declare const document: { cookie: string; title: string };
declare const localStorage: { readonly length: number };
declare const sessionStorage: { readonly length: number };

let certificates: TestCertificates;
let pages: Server;
let service: TestService;
let serviceUrl: string;
let browser: Browser;
let context: BrowserContext;

beforeAll(async () => {
  certificates = await makeCertificates("example.test");
  const [cert, key] = [readFileSync(certificates.certFile), readFileSync(certificates.keyFile)];
  pages = createServer({ cert, key }, (request, response) => {
    response.setHeader("content-type", "text/html");
    const host = request.headers.host ?? "";
    if (request.url === "/sandboxed") {
      response.setHeader("content-security-policy", "sandbox allow-forms allow-scripts");
    }
    response.end(`<!doctype html><title>Page</title>${host.startsWith("app.") ? samplePage() : ""}`);
  });
  await new Promise<void>((resolve) => pages.listen(0, "127.0.0.1", resolve));
  service = await startService({
    issuerHost: "id.example.test",
    env: {
      CORS_ORIGINS: pageUrl("app.example.test"),
      TLS_CERT_FILE: certificates.certFile,
      TLS_KEY_FILE: certificates.keyFile,
    },
  });
  serviceUrl = `https://id.example.test:${service.port}`;
  browser = await launchChromium({ localNames: ["*.example.test", "evil.test"] });
});
afterAll(async () => {
  await browser.close();
  pages.closeAllConnections();
  pages.close();
  await service.stop();
  await certificates.remove();
});
beforeEach(async () => {
  context = await browser.newContext({ ignoreHTTPSErrors: true });
});
afterEach(() => context.close());

function pageUrl(host: string): string {
  return `https://${host}:${(pages.address() as AddressInfo).port}`;
}

function samplePage(): string {
  const [, sample = ""] =
    /```js\n([^]*?)```/.exec(readFileSync(join(root, "docs/browsers.md"), "utf8")) ?? [];
  return `<script>${sample.replace("https://id.example.com", serviceUrl)}</script>`;
}

async function open(host: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(pageUrl(host));
  return page;
}

async function openSignedIn(): Promise<Page> {
  const page = await open("app.example.test");
  const { username, password } = service.admin;
  expect(await page.evaluate(([name, secret]) => signIn(name, secret), [username, password] as const)).toBe(
    true,
  );
  return page;
}

const refreshes = (page: Page) => page.evaluate(() => refresh());
const signsOut = (page: Page) => page.evaluate(() => signOut());

/** Who the page's access token is good for; null where it is refused. */
function whoAmI(page: Page): Promise<string | null> {
  return page.evaluate(async (url) => {
    const answer = await fetch(`${url}/auth/me`, { headers: { Authorization: `Bearer ${accessToken}` } });
    return answer.ok ? ((await answer.json()) as { username: string }).username : null;
  }, serviceUrl);
}

async function serviceCookies(): Promise<string[]> {
  const cookies = await context.cookies(serviceUrl);
  return cookies.map(({ name, value, httpOnly, secure, sameSite, domain, path }) =>
    [name, value, httpOnly, secure, sameSite, domain, path].join(" "),
  );
}

describe("a page of another subdomain, over TLS", () => {
  test("stays signed in over reloads, and signs out after one, with nothing stored", async () => {
    const page = await openSignedIn();
    for (let reload = 0; reload < 3; reload += 1) {
      await page.reload();
      expect(await whoAmI(page)).toBeNull();
      expect(await refreshes(page)).toBe(true);
      expect(await whoAmI(page)).toBe("admin");
    }
    expect(await page.evaluate(() => [document.cookie, localStorage.length, sessionStorage.length])).toEqual([
      "",
      0,
      0,
    ]);
    expect(await serviceCookies()).toEqual([
      expect.stringMatching(/^__Host-countersign_refresh csr_\S+ true true Strict id\.example\.test \/$/),
    ]);
    await page.reload();
    expect(await signsOut(page)).toBe(true);
    expect(await serviceCookies()).toEqual([]);
    expect(await refreshes(page)).toBe(false);
  });

  test("is not shut out by a change of password in another tab, nor by what was under way meanwhile", async () => {
    const one = await openSignedIn();
    const two = await open("app.example.test");
    expect(await refreshes(two)).toBe(true);
    const changed = one.evaluate(([current, next]) => changePassword(current, next), [
      service.admin.password,
      "another horse battery",
    ] as const);
    // Whatever these are answered, they take nothing away.
    await two.evaluate(() => Promise.all(Array.from({ length: 10 }, () => refresh())));
    expect(await changed).toBe(true);
    expect(await refreshes(two)).toBe(true);
    expect([await whoAmI(one), await whoAmI(two)]).toEqual(["admin", "admin"]);
    await two.reload();
    expect(await refreshes(two)).toBe(true);
    expect(await refreshes(one)).toBe(true);
    expect(
      await two.evaluate(([current, next]) => changePassword(current, next), [
        "another horse battery",
        service.admin.password,
      ] as const),
    ).toBe(true);
  });

  test("has its other tabs signed out with it, and signed in with it", async () => {
    const one = await openSignedIn();
    const two = await open("app.example.test");
    expect(await refreshes(two)).toBe(true);
    expect(await signsOut(one)).toBe(true);
    expect([await refreshes(two), await whoAmI(two)]).toEqual([false, null]);
    const { username, password } = service.admin;
    await one.evaluate(([name, secret]) => signIn(name, secret), [username, password] as const);
    expect([await refreshes(two), await whoAmI(two)]).toEqual([true, "admin"]);
  });

  test("and a page of the service itself have one session", async () => {
    const app = await openSignedIn();
    const own = await context.newPage();
    await own.goto(`${serviceUrl}/docs`);
    const status = (path: string) =>
      own.evaluate(
        async (address) =>
          (await fetch(address, { method: "POST", headers: { "X-Auth-Mode": "cookie" } })).status,
        path,
      );
    expect(await status("/auth/refresh")).toBe(200);
    expect(await refreshes(app)).toBe(true);
    expect(await status("/auth/logout")).toBe(204);
    expect(await refreshes(app)).toBe(false);
  });
});

describe.each([
  ["a sibling that is not listed", "evil.example.test"],
  ["another site", "evil.test"],
])("a page of %s", (_, host) => {
  test("neither ends, nor renews, nor begins a session, whatever it sends", async () => {
    const victim = await openSignedIn();
    const before = await serviceCookies();
    const evil = await open(host);
    const answers = await evil.evaluate(attackByScripts, serviceUrl);
    expect(answers.filter((answer) => !/^(failed|opaque)$/.test(answer))).toEqual([]);
    expect(answers.length).toBeGreaterThan(30);
    await attackByForms(host);
    expect(await serviceCookies()).toEqual(before);
    // It is the token of the login still, and good.
    expect([await refreshes(victim), await whoAmI(victim)]).toEqual([true, "admin"]);
  });

  test("plants no cookie", async () => {
    const evil = await open(host);
    await evil.evaluate(() => {
      for (const name of ["__Host-countersign_refresh", "__Host-countersign_device"]) {
        for (const domain of ["; Domain=example.test", "; Domain=id.example.test", "", "; Domain=test"]) {
          document.cookie = `${name}=csr_planted; Path=/; Secure${domain}`;
          document.cookie = `=${name}=csr_planted; Path=/; Secure${domain}`;
          document.cookie = `${name.toLowerCase()}=csr_planted; Path=/; Secure${domain}`;
        }
      }
    });
    const page = await open("app.example.test");
    expect(await refreshes(page)).toBe(false);
    const { username, password } = service.admin;
    await page.evaluate(([name, secret]) => signIn(name, secret), [username, password] as const);
    expect(await refreshes(page)).toBe(true);
  });
});

/** Runs in the page: every kind of request that a script can try. Each ends as an error, or as an answer that it cannot read. */
async function attackByScripts(target: string): Promise<string[]> {
  const paths = ["/auth/refresh", "/auth/logout", "/auth/sessions", "/countersign.v1.AuthService/Refresh"];
  const types = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"];
  const told: string[] = [];
  const beacons = navigator as unknown as { sendBeacon(url: string, data: Blob): boolean };
  const attempt = async (url: string, init: RequestInit): Promise<void> => {
    const answer = await fetch(url, { credentials: "include", ...init }).catch(() => null);
    told.push(answer === null ? "failed" : answer.type === "opaque" ? "opaque" : `read ${answer.status}`);
  };
  for (const path of paths) {
    const url = target + path;
    for (const method of ["POST", "DELETE"]) {
      await attempt(url, { method, headers: { "X-Auth-Mode": "cookie" } });
    }
    for (const type of types) {
      const headers = { "Content-Type": type, "X-Auth-Mode": "cookie", "X-HTTP-Method-Override": "DELETE" };
      await attempt(url, { method: "POST", mode: "no-cors", headers, body: "{}" });
      await attempt(`${url}?_method=DELETE&x-auth-mode=cookie`, {
        method: "POST",
        headers: { "Content-Type": type },
      });
    }
    beacons.sendBeacon(url, new Blob(["{}"], { type: "text/plain" }));
  }
  return told;
}

/** Forms of each type, sent by a page that shows its origin, and by one in a sandbox, whose origin is `null`. */
async function attackByForms(host: string): Promise<void> {
  const evil = await context.newPage();
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
    for (const path of ["/auth/refresh", "/auth/logout", "/auth/login"]) {
      for (const from of ["/", "/sandboxed"]) {
        await evil.goto(pageUrl(host) + from);
        const answered = evil.waitForResponse((response) => response.url() === serviceUrl + path);
        await evil.evaluate(sendForm(serviceUrl + path, type));
        const answer = await answered;
        // The browser shows what was answered: the next navigation interrupts none.
        await evil.waitForURL(serviceUrl + path);
        const origin = await answer.request().headerValue("origin");
        expect([origin, await answer.headerValue("set-cookie")]).toEqual([
          from === "/" ? pageUrl(host) : "null",
          null,
        ]);
      }
    }
  }
}

/** A script that leaves the page by a form. */
function sendForm(action: string, type: string): string {
  const fields = { ...service.admin, "x-auth-mode": "cookie", _method: "DELETE" };
  const inputs = Object.entries(fields).map(([name, value]) => `<input name="${name}" value="${value}">`);
  const form = `<form method="post" action="${action}" enctype="${type}">${inputs.join("")}</form>`;
  return `document.body.innerHTML = ${JSON.stringify(form)}; document.forms[0].submit()`;
}
