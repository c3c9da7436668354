#!/usr/bin/env node
// Plain JavaScript, so that a Node that cannot run what follows can still say so.

const major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  console.error(`Countersign needs Node 24 or newer; this is ${process.version}.`);
  process.exit(1);
}
const { enableCompileCache } = await import("./compile-cache.js");
enableCompileCache();
await import("../src/main.ts");
