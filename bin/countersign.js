#!/usr/bin/env node
// Plain JavaScript, so that a Node that cannot run what follows can still say so.
import module from "node:module";
import { fileURLToPath } from "node:url";

const major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  console.error(`Countersign needs Node 24 or newer; this is ${process.version}.`);
  process.exit(1);
}
// Types are stripped and code is compiled once, beside the packages that it belongs to. Where nothing can be
// written there, as in a container, nothing is kept.
module.enableCompileCache(fileURLToPath(new URL("../node_modules/.cache/countersign", import.meta.url)));
await import("../src/main.ts");
