import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Code } from "@connectrpc/connect";
import { build } from "esbuild";
import type { Browser, Page as BrowserPage } from "playwright-core";
import { launchChromium } from "../_harness/chromium.ts";
import { startService, type TestService } from "../_harness/service.ts";
import type { CookieLife, Page, Protocol, Refusal } from "./connect-web-page.ts";

// A real browser, a page of another origin, and the library for browsers.

declare const page: Page;

let site: Server;
let service: TestService;
let browser: Browser;
beforeAll(async () => {
  const script = await bundle();
  site = createServer((request, response) => {
    const isScript = request.url === "/page.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? script : '<!doctype html><title>App</title><script src="/page.js"></script>');
  });
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  service = await startService({ env: { CORS_ORIGINS: originOf("127.0.0.1") } });
  browser = await launchChromium();
}, 120_000);
afterAll(async () => {
  await browser.close();
  site.closeAllConnections();
  site.close();
  await service.stop();
});

function originOf(host: string): string {
  return `http://${host}:${(site.address() as AddressInfo).port}`;
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [new URL("connect-web-page.ts", import.meta.url).pathname],
    bundle: true,
    write: false,
    format: "iife",
    platform: "browser",
  });
  return outputFiles[0]?.text ?? "";
}

async function openPage(host = "127.0.0.1"): Promise<BrowserPage> {
  const context = await browser.newContext();
  const opened = await context.newPage();
  await opened.goto(originOf(host));
  return opened;
}

interface Login {
  readonly protocol: Protocol;
  readonly url: string;
  readonly username: string;
  readonly password: string;
}

function signIn(on: BrowserPage, login: Login): Promise<string | Refusal> {
  return on.evaluate(
    ({ protocol, url, username, password }) => page.signIn(protocol, url, username, password),
    login,
  );
}

function liveByCookies(on: BrowserPage, login: Login): Promise<CookieLife> {
  return on.evaluate(
    ({ protocol, url, username, password }) => page.liveByCookies(protocol, url, username, password),
    login,
  );
}

describe.each<Protocol>(["Connect", "gRPC-Web"])("by %s, a page", (protocol) => {
  const login = (): Login => ({ protocol, url: service.url, ...service.admin });

  test("of an origin that is listed signs in and reads the user", async () => {
    expect(await signIn(await openPage(), login())).toBe("admin");
  });

  test("of an origin that is listed is told why it is refused", async () => {
    expect(await signIn(await openPage(), { ...login(), password: "wrong" })).toEqual({
      code: Code.Unauthenticated,
      reason: "invalid_credentials",
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  test("of an origin that is not listed learns nothing", async () => {
    expect(await signIn(await openPage("localhost"), login())).toMatchObject({
      code: Code.Unknown,
      reason: undefined,
      requestId: null,
    });
  });

  test("lives by cookies without ever seeing a refresh token", async () => {
    const life = await liveByCookies(await openPage(), login());
    expect(life).toEqual({
      refreshTokens: [false, false],
      readable: [],
      username: "admin",
      afterwards: {
        code: Code.Unauthenticated,
        reason: "invalid_refresh_token",
        requestId: expect.any(String),
      },
    });
  });
});
