import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { open, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Client } from "pg";
import { createTestDatabase, startTestCluster } from "../test/_harness/postgres.ts";
import { importedRows, importLine, secondsOfEnds } from "./import/users.ts";
import { stopAtExit } from "./stop-at-exit.ts";

const usage = `Usage: npm run bench:import [-- --users N] [--json]

Measures \`countersign user import\`: its rate from the first users to the last, its memory, and what becomes of an import
that is killed in the middle and run again.

  --users N  how many users, 1000 or more; 100000 without it
  --json     the figures as JSON

Exit codes: 0 every requirement holds, 1 one or more do not, 2 the command line is not understood.
`;
const { users, json } = readFlags();
const tenth = Math.floor(users / 10);
/** The first and the last tenth take the same time within so much. */
const driftMax = 0.1;
const memoryMibMax = 300;
const mainFile = join(import.meta.dirname, "..", "src", "main.ts");

function readFlags(): { readonly users: number; readonly json: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        users: { type: "string", default: "100000" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) {
      process.stdout.write(usage);
      process.exit(0);
    }
    const given = Number(values.users);
    if (!(Number.isSafeInteger(given) && given >= 1000)) {
      throw new Error(`--users is no number from 1000: ${values.users}`);
    }
    return { users: given, json: values.json };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}

/** What a run of the command has come to. */
interface ImportRun {
  readonly seconds: number;
  readonly peakMib: number;
  readonly output: string;
}

function begin(path: string, env: NodeJS.ProcessEnv): ChildProcess {
  const child = spawn(process.execPath, [mainFile, "user", "import", path], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  stopAtExit(child);
  return child;
}

async function runImport(path: string, env: NodeJS.ProcessEnv): Promise<ImportRun> {
  const startedAt = performance.now();
  const child = begin(path, env);
  let [output, peakMib] = ["", 0];
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const watch = setInterval(() => {
    void readPeakMib(child.pid).then((mib) => (peakMib = Math.max(peakMib, mib)));
  }, 50);
  await once(child, "close");
  clearInterval(watch);
  return { seconds: (performance.now() - startedAt) / 1000, peakMib, output };
}

/** The most memory that a process has had so far (proc_pid_status(5)). */
async function readPeakMib(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
}

async function count(sql: Client, what: string): Promise<number> {
  const { rows } = await sql.query<{ count: number }>(`select count(*)::int as count from ${what}`);
  return rows[0]?.count ?? 0;
}

async function writeUsers(path: string): Promise<void> {
  const file = await open(path, "wx");
  const chunk = 1_000;
  for (let from = 0; from < users; from += chunk) {
    const lines = Array.from({ length: Math.min(chunk, users - from) }, (_, index) =>
      importLine(from + index),
    );
    await file.appendFile(lines.join(""));
  }
  await file.close();
}

/** An import that nothing disturbs. */
async function measureRate(path: string, env: NodeJS.ProcessEnv, sql: Client) {
  const { seconds, peakMib } = await runImport(path, env);
  const { rows } = await sql.query<{ seconds: number }>(secondsOfEnds, [tenth, users - tenth]);
  const [first = Number.NaN, last = Number.NaN] = rows.map((row) => tenth / row.seconds);
  return { seconds, perSecond: users / seconds, first, last, drift: Math.abs(last / first - 1), peakMib };
}

/** An import that is killed in the middle, and run again. */
async function measureKill(path: string, env: NodeJS.ProcessEnv, sql: Client) {
  const killed = begin(path, env);
  while ((await count(sql, "users")) < users / 2 && killed.exitCode === null) await sleep(20);
  killed.kill("SIGKILL");
  await once(killed, "exit");
  // What PostgreSQL was still doing for it ends first.
  await sleep(1_000);
  const kept = await count(sql, "users");
  const { output } = await runImport(path, env);
  const lost = users - (await count(sql, "users"));
  const doubled = (await count(sql, importedRows)) - (await count(sql, "users"));
  return { kept, lost, doubled, told: output.trim() };
}

async function main(): Promise<boolean> {
  const cluster = await startTestCluster({ fsync: true });
  const folder = await mkdtemp(join(tmpdir(), "countersign-bench-import-"));
  try {
    const path = join(folder, "users.ndjson");
    await writeUsers(path);
    const measureIn = async <T>(
      measure: (path: string, env: NodeJS.ProcessEnv, sql: Client) => Promise<T>,
    ) => {
      const { url } = await createTestDatabase(cluster);
      const env = {
        PATH: process.env["PATH"],
        DATABASE_URL: url,
        SECRET_KEY: "bench-secret-key-0123456789-abcdefghijklm",
        ISSUER: "http://localhost:8080",
      };
      await once(spawn(process.execPath, [mainFile, "migrate"], { env, stdio: "ignore" }), "exit");
      const sql = new Client({ connectionString: url.replace("?sslmode=disable", "") });
      await sql.connect();
      try {
        return await measure(path, env, sql);
      } finally {
        await sql.end();
      }
    };
    return report(await measureIn(measureRate), await measureIn(measureKill));
  } finally {
    await cluster.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function report(
  rate: Awaited<ReturnType<typeof measureRate>>,
  kill: Awaited<ReturnType<typeof measureKill>>,
): boolean {
  const requirements: readonly (readonly [string, boolean])[] = [
    [`the last ${tenth} users at the rate of the first, within ${driftMax * 100} %`, rate.drift <= driftMax],
    [`at most ${memoryMibMax} MiB of memory`, rate.peakMib <= memoryMibMax],
    ["a killed import that is run again loses nobody", kill.lost === 0],
    ["and doubles nobody", kill.doubled === 0],
  ];
  if (json) {
    process.stdout.write(`${JSON.stringify({ users, ...rate, ...kill })}\n`);
  } else {
    const lines = [
      `${users} users in ${rate.seconds.toFixed(1)} s: ${rate.perSecond.toFixed(0)} a second`,
      `the first ${tenth}: ${rate.first.toFixed(0)} a second; the last ${tenth}: ${rate.last.toFixed(0)}`,
      `memory at most: ${rate.peakMib.toFixed(0)} MiB`,
      `killed after ${kill.kept} users, and run again: ${kill.told}`,
      ...requirements.map(([name, holds]) => `${holds ? "holds" : "FAILS"}: ${name}`),
    ];
    process.stdout.write(`${lines.join("\n")}\n`);
  }
  return requirements.every(([, holds]) => holds);
}

process.exitCode = (await main()) ? 0 : 1;
