// Writes docs/config.md from the table of variables. Usage: node scripts/document-config.ts OUT_ROOT
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { configReference } from "./config-reference.ts";

const [outRoot] = process.argv.slice(2);
if (outRoot === undefined) throw new Error("name the folder to write below");
mkdirSync(join(outRoot, "docs"), { recursive: true });
writeFileSync(join(outRoot, "docs/config.md"), configReference());
