// Writes the JSON Schema of the file of `countersign apply`. Usage: node scripts/write-config-schema.ts OUT_ROOT
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { configFileSchema } from "../src/cli/applying/write-file.ts";

const [outRoot] = process.argv.slice(2);
if (outRoot === undefined) throw new Error("name the folder to write below");
mkdirSync(join(outRoot, "docs"), { recursive: true });
writeFileSync(
  join(outRoot, "docs/countersign.schema.json"),
  `${JSON.stringify(configFileSchema(), null, 2)}\n`,
);
