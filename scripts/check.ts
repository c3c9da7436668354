// Runs every `check:*` script of package.json and prints one line for each, with its time.
// Usage: npm run check [-- name ...]; without names all are run. What a failed check printed follows its line.
// Exit codes: 0 all passed, 1 one or more failed, 2 a name is not one of the checks.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { delimiter, join } from "node:path";

interface Check {
  readonly name: string;
  readonly command: string;
}

interface Outcome {
  readonly passed: boolean;
  readonly output: string;
  readonly seconds: number;
}

const root = join(import.meta.dirname, "..");
const prefix = "check:";

/** Only package.json lists the checks, so `npm run check:<name>` and this runner always agree. */
function readChecks(): Check[] {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  return Object.entries(manifest.scripts)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, command]) => ({ name: name.slice(prefix.length), command }));
}

async function runCheck(check: Check): Promise<Outcome> {
  const startMs = performance.now();
  const PATH = [join(root, "node_modules/.bin"), process.env["PATH"]].join(delimiter);
  const child = spawn(check.command, {
    cwd: root,
    shell: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, PATH },
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  const passed = await new Promise<boolean>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      resolve(code === 0);
    });
  });
  return {
    passed,
    output: Buffer.concat(chunks).toString("utf8"),
    seconds: (performance.now() - startMs) / 1000,
  };
}

function report(check: Check, outcome: Outcome): void {
  const verdict = outcome.passed ? "ok    " : "FAILED";
  console.log(`${verdict} ${check.name.padEnd(10)} ${outcome.seconds.toFixed(1).padStart(5)} s`);
  if (!outcome.passed) console.log(outcome.output.trimEnd().replaceAll(/^/gm, "       "));
}

const checks = readChecks();
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !checks.some((check) => check.name === name));
if (unknown.length > 0) {
  console.error(
    `no such check: ${unknown.join(", ")}; there are ${checks.map((one) => one.name).join(", ")}`,
  );
  process.exit(2);
}

const queue = checks.filter((check) => wanted.length === 0 || wanted.includes(check.name));
let failed = 0;
async function work(): Promise<void> {
  for (let check = queue.shift(); check; check = queue.shift()) {
    const outcome = await runCheck(check);
    report(check, outcome);
    if (!outcome.passed) failed += 1;
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, work));
process.exitCode = failed > 0 ? 1 : 0;
