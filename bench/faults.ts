import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { faults } from "./faults/faults.ts";
import { presentTable, writeTable } from "./faults/report.ts";
import { runFaults } from "./faults/run-faults.ts";

const usage = `Usage: npm run faults [-- [--only NAME,…] [--seconds N] [--json] [--write]]

  --only NAME,…  these faults alone
  --seconds N    how long each fault lasts, 3 to 60; 8 without it
  --json         the figures as JSON on standard output
  --write        the table in docs/operations.md; all faults are needed for that

Faults: ${faults.map(({ name }) => name).join(", ")}

Exit codes: 0 nothing that must not be was seen, 1 something was, 2 the command line is not understood.
`;

interface Flags {
  readonly names: readonly string[];
  readonly seconds: number;
  readonly json: boolean;
  readonly write: boolean;
}

function readFlags(): Flags {
  const all = faults.map(({ name }) => name);
  try {
    const { values } = parseArgs({
      options: {
        only: { type: "string" },
        seconds: { type: "string", default: "8" },
        json: { type: "boolean", default: false },
        write: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) {
      process.stdout.write(usage);
      process.exit(0);
    }
    const names = values.only?.split(",") ?? all;
    const unknown = names.find((name) => !all.includes(name));
    if (unknown !== undefined) throw new Error(`there is no fault named ${unknown}`);
    const seconds = Number(values.seconds);
    if (!(seconds >= 3 && seconds <= 60)) throw new Error(`--seconds is no number from 3 to 60`);
    if (values.write && values.only !== undefined) throw new Error("--write takes all faults");
    return { names, seconds, json: values.json, write: values.write };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}

const flags = readFlags();
// What was started ends with this process.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
// As the tests do: a third less of a start's work.
const compileCache = await mkdtemp(join(tmpdir(), "countersign-faults-compile-cache-"));
process.env["TEST_COMPILE_CACHE"] = compileCache;
try {
  const chosen = faults.filter(({ name }) => flags.names.includes(name));
  const { rows, failures } = await runFaults(chosen, flags.seconds * 1000, (line) => {
    process.stderr.write(`${line}\n`);
  });
  process.stdout.write(flags.json ? `${JSON.stringify({ rows, failures }, null, 2)}\n` : presentTable(rows));
  if (flags.write && failures.length === 0) {
    await writeTable(join(import.meta.dirname, "..", "docs", "operations.md"), rows);
  }
  if (failures.length > 0 || rows.some(({ violations }) => violations.length > 0)) process.exitCode = 1;
} finally {
  await rm(compileCache, { recursive: true, force: true });
}
process.exit();
