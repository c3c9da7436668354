// Holds src against the rules of scripts/imports/rules.ts.
// Usage: node scripts/check-imports.ts [root]; the root is the current folder by default.
import { globSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { findImportViolations } from "./imports/find-violations.ts";
import { importRules } from "./imports/rules.ts";

const root = process.argv[2] ?? ".";
const paths = globSync("src/**/*.ts", { cwd: root }).toSorted();
const sources = new Map(
  paths.map((path) => [path.split(sep).join("/"), readFileSync(join(root, path), "utf8")] as const),
);
const violations = findImportViolations(sources, importRules);
for (const { path, line, message } of violations) console.error(`${path}:${line} ${message}`);
if (sources.size === 0) console.error(`no sources under ${root}/src`);
process.exitCode = violations.length > 0 || sources.size === 0 ? 1 : 0;
