import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { exists, installDebianPackages } from "./debian-package.ts";

const program = "/usr/bin/chromium";

/** Debian's Chromium, headless. It fetches nothing of its own accord. */
export async function launchChromium(): Promise<Browser> {
  if (!(await exists(program))) {
    await installDebianPackages(["chromium"], "This test needs Debian's chromium.");
  }
  return chromium.launch({
    executablePath: program,
    args: ["--no-sandbox", "--disable-quic", "--disable-background-networking"],
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
