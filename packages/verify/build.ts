// Makes the published form of this package: dist/ for Node 20 and later, and the proto of the options.
// Usage: npm run build --workspace packages/verify
import { spawnSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";

const here = import.meta.dirname;
const root = join(here, "../..");
const proto = "countersign/v1/options.proto";

for (const made of ["dist", "proto"]) rmSync(join(here, made), { recursive: true, force: true });
const tsc = join(root, "node_modules/typescript/bin/tsc");
const { status } = spawnSync(process.execPath, [tsc, "-p", here], { stdio: "inherit" });
if (status !== 0) throw new Error("The compiler found errors.");
cpSync(join(root, "proto", proto), join(here, "proto", proto));
