import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { findBarriers } from "../_harness/axe.ts";
import { collectComplaints, launchChromium } from "../_harness/chromium.ts";
import { startService, type TestService } from "../_harness/service.ts";

const timeoutMs = 180_000;

let browser: Browser;
let context: BrowserContext | undefined;
beforeAll(async () => {
  browser = await launchChromium();
}, timeoutMs);
afterAll(() => browser.close());
afterEach(() => context?.close());

async function openReference(
  service: Pick<TestService, "url">,
  {
    basePath = "",
    colorScheme = "light",
    width = 1280,
  }: { basePath?: string; colorScheme?: "light" | "dark"; width?: number } = {},
): Promise<{ page: Page; complaints: string[] }> {
  context = await browser.newContext({
    colorScheme,
    reducedMotion: "reduce",
    viewport: { width, height: 844 },
  });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  const complaints = collectComplaints(page);
  await page.goto(`${service.url}${basePath}/docs`);
  await operation(page, "Auth-getCurrentUser").waitFor();
  return { page, complaints };
}

/** What opens an operation. */
function operation(page: Page, id: string): Locator {
  return page.locator(`#operations-${id} .opblock-summary-control`);
}

/** Signs in as the page says, with both fields of the client left empty. */
/** The ids of the operations that need a token, whatever else is sent, by the document. */
async function readProtected(url: string): Promise<string[]> {
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { operationId: string; security: object[] }>>;
  };
  return Object.values(document.paths)
    .flatMap((methods) => Object.values(methods))
    .filter(({ security }) => security.length > 0 && security.every((way) => Object.keys(way).length > 0))
    .map(({ operationId }) => operationId);
}

async function signIn(page: Page, { username, password }: TestService["admin"]): Promise<void> {
  await page.getByRole("button", { name: "Authorize", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("username:", { exact: true }).fill(username);
  await dialog.getByLabel("password:", { exact: true }).fill(password);
  await dialog.getByRole("button", { name: "Authorize" }).first().click();
  await dialog.getByRole("button", { name: "Logout" }).waitFor();
  await dialog.getByRole("button", { name: "Close" }).first().click();
}

async function readUser(page: Page): Promise<unknown> {
  await operation(page, "Auth-getCurrentUser").click();
  await page.getByRole("button", { name: "Execute" }).click();
  const body = page.locator("#operations-Auth-getCurrentUser .live-responses-table .microlight").first();
  return JSON.parse(await body.innerText()) as unknown;
}

const user = {
  id: expect.stringMatching(/^usr_/),
  username: "admin",
  email: null,
  is_active: true,
  status: "active",
  roles: ["admin"],
  created_at: expect.any(String),
  last_login_at: expect.any(String),
};

describe("the reference page", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService();
  }, timeoutMs);
  afterAll(() => service.stop());

  test(
    "lets a newcomer sign in and read the user, without a complaint of the browser",
    async () => {
      const { page, complaints } = await openReference(service);
      const sent = page.waitForRequest((request) => request.url().endsWith("/auth/login"));
      await signIn(page, service.admin);
      const request = await sent;
      expect(await request.headerValue("authorization")).toBe("Basic Og==");
      expect(request.postData()).toContain("grant_type=password");
      expect(await readUser(page)).toEqual(user);
      expect(complaints).toEqual([]);
    },
    timeoutMs,
  );

  test(
    "is worked by the keyboard alone",
    async () => {
      const { page, complaints } = await openReference(service);
      const { keyboard } = page;
      await keyboard.press("Tab");
      expect(await focused(page)).toBe("Skip to the content");
      await tabTo(page, "Authorize");
      await keyboard.press("Enter");
      // The first field has the focus.
      await page.getByRole("dialog").waitFor();
      await keyboard.type(service.admin.username);
      await keyboard.press("Tab");
      await keyboard.type(service.admin.password);
      await keyboard.press("Enter");
      await page.getByRole("dialog").getByRole("button", { name: "Logout" }).waitFor();
      await keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      expect(await focused(page)).toBe("Authorize");
      await tabTo(page, "GET\u200B/auth/me");
      await keyboard.press("Enter");
      // At once: what is open is drawn once, and for good.
      await tabTo(page, "Execute");
      await keyboard.press("Enter");
      await page.locator(".live-responses-table").getByText('"admin"').first().waitFor();
      expect(complaints).toEqual([]);
    },
    timeoutMs,
  );

  test(
    "draws an operation once when it is opened, with all that is in it",
    async () => {
      const { page } = await openReference(service);
      // Removals are counted from before it opens to when the last of the others is open as well.
      await page.evaluate(`
        const isDrawn = (node) => node.nodeType === 1 && node.matches("div, svg.opblock-loading-animation");
        window.redrawn = [];
        new MutationObserver((changes) => {
          for (const { removedNodes } of changes) {
            for (const node of removedNodes) if (isDrawn(node)) window.redrawn.push(node.className);
          }
        }).observe(document.getElementById("reference"), { childList: true, subtree: true });
      `);
      // What an operation has when the frame after its opening is drawn.
      const open = await page.evaluate<string[]>(`(async () => {
        const open = [];
        for (const button of [...document.querySelectorAll(".opblock-summary-control")].slice(0, 5)) {
          button.click();
          await new Promise(requestAnimationFrame);
          const operation = button.closest(".opblock");
          if (operation.querySelector(".execute") !== null) open.push(operation.id);
        }
        return open;
      })()`);
      expect(open).toHaveLength(5);
      expect(await page.evaluate("window.redrawn")).toEqual([]);
    },
    timeoutMs,
  );

  test(
    "has an open lock on what needs signing in, a closed one once somebody has, and none elsewhere",
    async () => {
      const { page } = await openReference(service);
      const locks = () =>
        page.evaluate<string[]>(`[...document.querySelectorAll(".authorization__btn")].map(
          (lock) => lock.closest(".opblock").id.split("-")[2] + (lock.querySelector(".unlocked") ? " open" : " closed"),
        )`);
      const names = await readProtected(service.url);
      expect(names).toEqual(expect.arrayContaining(["getCurrentUser", "listSessions", "listAuditEvents"]));
      expect(names).not.toContain("login");
      expect((await locks()).toSorted()).toEqual(names.map((name) => `${name} open`).toSorted());
      await signIn(page, service.admin);
      expect((await locks()).toSorted()).toEqual(names.map((name) => `${name} closed`).toSorted());
    },
    timeoutMs,
  );

  test(
    "begins with signing in, and fills no masked field",
    async () => {
      const { page } = await openReference(service);
      expect(await page.locator(".opblock-tag").first().innerText()).toMatch(/^Auth\b/);
      expect(await page.locator(".opblock-summary-path").first().innerText()).toMatch(/login/);
      for (const id of ["Auth-login", "Auth-refresh", "Auth-logout", "Token-issueToken", "Token-revoke"]) {
        await operation(page, id).click();
      }
      const masked = page.locator("#reference input[type=password]");
      expect(await masked.count()).toBeGreaterThan(5);
      for (const field of await masked.all()) expect(await field.inputValue()).toBe("");
      expect(await page.locator("#operations-Auth-login input[type=text]").first().inputValue()).not.toBe("");
    },
    timeoutMs,
  );

  test(
    "is as wide as a phone, with every operation open and an answer shown",
    async () => {
      const { page } = await openReference(service, { width: 390 });
      await signIn(page, service.admin);
      await readUser(page);
      await page.evaluate(
        `document.querySelectorAll(".opblock:not(.is-open) .opblock-summary-control").forEach((button) => button.click())`,
      );
      await page.locator(".models-control").click();
      expect(await page.locator(".opblock.is-open").count()).toBeGreaterThan(12);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
      // Nothing sticks out and is cut off, but in what scrolls by itself.
      expect(
        await page.evaluate(`[...document.querySelectorAll("#reference *")]
          .filter((node) => {
            const { right, width } = node.getBoundingClientRect();
            const scroller = node.parentElement.closest("pre, .table-container, table, .scrolls");
            return width > 0 && right > 391 && scroller === null;
          })
          .map((node) => node.tagName + "." + node.className)`),
      ).toEqual([]);
    },
    timeoutMs,
  );

  test(
    "keeps the keyboard within the dialog",
    async () => {
      const { page } = await openReference(service);
      await page.getByRole("button", { name: "Authorize", exact: true }).click();
      const dialog = page.getByRole("dialog");
      const controls = await dialog.locator("a[href], button, input, select").count();
      for (let count = 0; count <= controls; count += 1) {
        expect(await dialog.locator(":focus").count()).toBe(1);
        await page.keyboard.press("Tab");
      }
    },
    timeoutMs,
  );

  test.each(["light", "dark"] as const)(
    "has no barrier that axe calls serious or critical, in %s",
    async (colorScheme) => {
      const { page } = await openReference(service, { colorScheme });
      expect(await findBarriers(page)).toEqual([]);
      await page.getByRole("button", { name: "Authorize", exact: true }).click();
      await page.getByRole("dialog").waitFor();
      expect(await findBarriers(page)).toEqual([]);
      await page.keyboard.press("Escape");
      await signIn(page, service.admin);
      await readUser(page);
      await operation(page, "Auth-revokeSession").click();
      expect(await findBarriers(page)).toEqual([]);
    },
    timeoutMs,
  );

  test.each(["light", "dark"] as const)(
    "follows the colour scheme of the system: %s",
    async (colorScheme) => {
      const { page } = await openReference(service, { colorScheme });
      const isDark = await page.evaluate("document.documentElement.classList.contains('dark-mode')");
      expect(isDark).toBe(colorScheme === "dark");
    },
    timeoutMs,
  );

  test.each(["light", "dark"] as const)(
    "has pages of reasons in its style, without a barrier, in %s",
    async (colorScheme) => {
      context = await browser.newContext({ colorScheme });
      const page = await context.newPage();
      const complaints = collectComplaints(page);
      await page.goto(`${service.url}/problems/validation_failed`);
      expect(await page.title()).toBe("Validation failed - Countersign");
      expect(await findBarriers(page)).toEqual([]);
      expect(complaints).toEqual([]);
    },
    timeoutMs,
  );
});

test(
  "the reference page works under a base path, and where the issuer is another name",
  async () => {
    const service = await startService({ env: { BASE_PATH: "/api", ISSUER: "http://id.example.org" } });
    try {
      const { page, complaints } = await openReference(service, { basePath: "/api" });
      await signIn(page, service.admin);
      expect(await readUser(page)).toEqual(user);
      expect(complaints).toEqual([]);
    } finally {
      await service.stop();
    }
  },
  timeoutMs,
);

/** The text of what has the focus. */
function focused(page: Page): Promise<string> {
  // Between the last stop and the first nothing has the focus, which the body stands for.
  return page.evaluate<string>(
    "document.activeElement === document.body ? '' : document.activeElement.innerText.trim().replaceAll('\\n', ' ')",
  );
}

/** Presses Tab until something with this text has the focus. */
async function tabTo(page: Page, text: string): Promise<void> {
  const stopsMax = 200;
  for (let count = 0; count < stopsMax; count += 1) {
    await page.keyboard.press("Tab");
    if ((await focused(page)).replaceAll(/\s/g, "").includes(text.replaceAll(/[\s\u200B]/g, ""))) return;
  }
  throw new Error(`Tab does not lead to ${text}`);
}
