// Writes the table of layers into ARCHITECTURE.md, from the import rules. Usage: node scripts/document-layers.ts OUT_ROOT
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { importRules } from "./imports/rules.ts";

const [outRoot] = process.argv.slice(2);
if (outRoot === undefined) throw new Error("name the folder to write below");

const page = "ARCHITECTURE.md";
const [begin, end] = ["<!-- layers: npm run generate -->", "<!-- end of layers -->"];

const short = (glob: string): string => glob.replace(/^src\//, "").replace(/\/\*\*$/, "/");
const list = (globs: readonly string[]): string =>
  globs.length === 0 ? "no other layer" : globs.map((glob) => `\`${short(glob)}\``).join(", ");
const rows = importRules.layers.map(
  ({ files, mayImport, why }) => `| ${list(files)} | ${list(mayImport)} | ${why} |`,
);
const table = ["| layer | may import | why |", "| --- | --- | --- |", ...rows].join("\n");

const text = readFileSync(join(import.meta.dirname, "..", page), "utf8");
const [before, rest = ""] = text.split(begin);
const [, after] = rest.split(end);
if (before === undefined || after === undefined) {
  throw new Error(`${page} has no place for the table of layers`);
}
mkdirSync(outRoot, { recursive: true });
writeFileSync(join(outRoot, page), `${before}${begin}\n\n${table}\n\n${end}${after}`);
