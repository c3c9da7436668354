import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { exists, installDebianPackages } from "./debian-package.ts";

const program = "/usr/bin/chromium";

/**
 * Debian's Chromium, headless. It fetches nothing of its own accord.
 *
 * @param options `localNames`: patterns of host names that lead to this machine, such as `*.example.test`
 */
export async function launchChromium(options: { localNames?: readonly string[] } = {}): Promise<Browser> {
  if (!(await exists(program))) {
    await installDebianPackages(["chromium"], "This test needs Debian's chromium.");
  }
  const rules = (options.localNames ?? []).map((name) => `MAP ${name} 127.0.0.1`).join(",");
  return chromium.launch({
    executablePath: program,
    args: [
      "--no-sandbox",
      "--disable-quic",
      "--disable-background-networking",
      ...(rules === "" ? [] : [`--host-resolver-rules=${rules}`]),
    ],
  });
}

/** What a page has complained of: errors on its console (breaches of its policy among them), and exceptions. */
export function collectComplaints(target: Page | BrowserContext): string[] {
  const complaints: string[] = [];
  target.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  const onError = (error: Error): void => {
    complaints.push(error.message);
  };
  if ("pages" in target) target.on("weberror", (error) => onError(error.error()));
  else target.on("pageerror", onError);
  return complaints;
}
