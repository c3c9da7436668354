// Takes each mechanism out of a copy of the checkout in turn, and expects its test, which is green before, to go red.
// Usage: node test/mechanisms/run.ts [part of a name ...]; without names all are run.
// Exit codes: 0 every test went red, 1 one or more stayed green or did not run, 2 a name fits no mechanism.
import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Mechanism, mechanisms } from "./mechanisms.ts";

const root = join(import.meta.dirname, "..", "..");

/** A copy that may be changed; what is installed is shared. */
async function copyCheckout(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "countersign-mechanisms-"));
  for (const entry of ["src", "test", "proto", "package.json", "jest.config.js", "tsconfig.json"]) {
    await cp(join(root, entry), join(folder, entry), { recursive: true });
  }
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  return folder;
}

interface TestRun {
  readonly passed: number;
  readonly failed: number;
  readonly output: string;
}

async function runTest(folder: string, { file, name }: Mechanism["test"]): Promise<TestRun> {
  const results = join(folder, "results.json");
  await rm(results, { force: true });
  const pattern = name.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const args = [
    "--disable-warning=ExperimentalWarning",
    "--experimental-vm-modules",
    "node_modules/jest/bin/jest.js",
    "--json",
    `--outputFile=${results}`,
    "--forceExit",
    "--testNamePattern",
    pattern,
    "--runTestsByPath",
    file,
  ];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  const chunks: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = Promise.withResolvers<void>();
  child.once("error", ended.reject).once("close", () => ended.resolve());
  await ended.promise;
  const output = Buffer.concat(chunks).toString();
  try {
    const json = JSON.parse(await readFile(results, "utf8")) as Record<string, number>;
    return { passed: json["numPassedTests"] ?? 0, failed: json["numFailedTests"] ?? 0, output };
  } catch {
    return { passed: 0, failed: 0, output };
  }
}

/** @returns null when the test went red; otherwise what is wrong */
async function check(folder: string, { file, find, replace, test }: Mechanism): Promise<string | null> {
  const path = join(folder, file);
  const original = await readFile(path, "utf8");
  const places = original.split(find).length - 1;
  if (places !== 1) return `the text to be replaced is in ${file} ${places} times`;
  // A test that is red anyway proves nothing.
  const whole = await runTest(folder, test);
  if (whole.failed > 0 || whole.passed === 0) return `${test.file} is not green before\n${whole.output}`;
  await writeFile(
    path,
    original.replace(find, () => replace),
  );
  try {
    const { passed, failed, output } = await runTest(folder, test);
    // A service that does not even start says nothing of its mechanisms.
    if (failed > 0 && !output.includes("did not become ready")) return null;
    return passed > 0 ? `${test.file} stayed green` : `${test.file} did not run\n${output}`;
  } finally {
    await writeFile(path, original);
  }
}

async function main(names: readonly string[]): Promise<number> {
  const chosen = mechanisms.filter(
    ({ name }) => names.length === 0 || names.some((part) => name.includes(part)),
  );
  if (chosen.length === 0) {
    console.error(`No mechanism is named so. There are: ${mechanisms.map(({ name }) => name).join(", ")}`);
    return 2;
  }
  const folder = await copyCheckout();
  let wrong = 0;
  try {
    for (const mechanism of chosen) {
      const startMs = performance.now();
      const problem = await check(folder, mechanism);
      if (problem !== null) wrong += 1;
      const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
      const verdict = problem === null ? "red as it should be" : `NOT NOTICED: ${problem}`;
      console.log(`${mechanism.name}: ${verdict} (${seconds} s)`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return wrong === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
