import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";

/** What axe says of one thing that is wrong. */
interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string | null;
    readonly nodes: readonly { readonly target: readonly unknown[] }[];
  }[];
}

const script = readFileSync(new URL(import.meta.resolve("axe-core/axe.min.js")), "utf8");

/** The serious and critical findings of axe on a page as it stands, each with the elements that it is about. */
export async function findBarriers(page: Page): Promise<string[]> {
  // Evaluated past the page's policy, which forbids the page itself to do so.
  await page.evaluate(script);
  const { violations } = await page.evaluate<AxeResults>(
    "axe.run(document, { resultTypes: ['violations'] })",
  );
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(" ")}`));
}
