// Holds Markdown against the tree: every relative link, every path of this repository in backticks and every
// `npm run` script that a page names must exist.
// Usage: node scripts/check-markdown.ts
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { findMissingNames } from "./markdown/find-missing-names.ts";

const root = join(import.meta.dirname, "..");
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};
const pages = globSync(["*.md", "{docs,src,test,bench,deploy,packages}/**/*.md"], { cwd: root }).filter(
  (page) => !page.includes("node_modules"),
);
if (pages.length === 0) console.error("there is no page to check");
process.exitCode = pages.length === 0 ? 1 : 0;
for (const page of pages.toSorted()) {
  const missing = findMissingNames(root, page, readFileSync(join(root, page), "utf8"), Object.keys(scripts));
  for (const { line, name } of missing) console.error(`${page}:${line} names ${name}, which does not exist`);
  if (missing.length > 0) process.exitCode = 1;
}
