// Compares the service with the floors, with the least service that does the same job, and with peers.
// Usage: node bench/run.ts [--peers] [--only CALL,…] [--rounds N] [--seconds N] [--json FILE] [--svg FILE]
// Or how the service's cost grows with users, sessions and instances: node bench/run.ts --growth
import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { drawChart } from "./compare/chart.ts";
import type { CallName, Contender } from "./compare/contender.ts";
import { startCountersign } from "./compare/countersign.ts";
import { measureHashes, startFloors, startLeast } from "./compare/floors.ts";
import { callNames, type Figures, measureCall, type Rounds } from "./compare/measure.ts";
import type { Amounts } from "./compare/oauth-loads.ts";
import { startPeers } from "./compare/peers.ts";
import { chooseGenerators } from "./compare/generators.ts";
import { measureGrowth, printGrowth } from "./compare/growth.ts";
import type { Send } from "./compare/load.ts";
import { measureLoginStorms } from "./compare/login-storm.ts";
import { isQuiet, waitForQuiet } from "./compare/quiet.ts";
import { printReport } from "./compare/report.ts";
import type { Report } from "./compare/results.ts";
import { measureStart } from "./compare/start.ts";
import { readTargets } from "./compare/targets.ts";
import { type BenchStores, startBenchStores } from "./compare/stores.ts";

const { values } = parseArgs({
  options: {
    peers: { type: "boolean", default: false },
    only: { type: "string" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "5" },
    json: { type: "string" },
    svg: { type: "string" },
    trial: { type: "boolean", default: false },
    growth: { type: "boolean", default: false },
    sizes: { type: "string", default: "1000,10000,100000,1000000" },
    help: { type: "boolean", default: false },
  },
});
const usage = `npm run bench -- [--peers] [--only CALL,...] [--rounds N] [--seconds N] [--json FILE] [--svg FILE]
  --trial: once, for a second each, to see that everything works; its figures say nothing
npm run bench -- --growth [--sizes N,...] [--seconds N] [--json FILE]
calls: ${callNames.join(", ")}`;

const quietTimeoutMs = 60_000;
const settleMs = 5_000;

async function main(): Promise<void> {
  const only = values.only?.split(",") ?? callNames;
  const wanted = callNames.filter((name) => only.includes(name));
  const rounds = values.trial
    ? { rounds: 1, seconds: 1 }
    : { rounds: Number(values.rounds), seconds: Number(values.seconds) };
  const isUsable =
    wanted.length === only.length && rounds.rounds >= 1 && (values.trial || rounds.seconds >= 3);
  if (values.help || !isUsable) {
    console.error(usage);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const busyBefore = await waitForQuiet(values.trial ? 0 : quietTimeoutMs);
  const folder = await mkdtemp(join(tmpdir(), "countersign-bench-"));
  await chmod(folder, 0o711);
  const generators = await chooseGenerators(join(folder, "load"));
  const stores = await startBenchStores();
  const contenders: Contender[] = [];
  const stopAll = async (): Promise<void> => {
    for (const contender of contenders.splice(0).toReversed()) await contender.stop();
    await stores.stop();
    await rm(folder, { recursive: true, force: true });
  };
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => void stopAll().finally(() => process.exit(1)));
  }
  try {
    if (values.growth) {
      await runGrowth(stores, folder, rounds.seconds, generators.send);
      return;
    }
    const hash = await measureHashes(rounds.seconds);
    const start = await measureStart(stores, rounds.rounds);
    await startAll(contenders, stores, folder, rounds);
    await sleep(settleMs);
    const idleMib = Object.fromEntries(
      contenders.map(({ name, processes }) => [name, processes.readMemoryMib()]),
    );
    const figures = await measureAll(wanted, contenders, stores, rounds, generators.send);
    const isStorm = wanted.includes("login") && wanted.includes("refresh");
    if (isStorm) process.stderr.write("measuring refreshes while 64 sign in\n");
    const storms = isStorm ? await measureLoginStorms(contenders, rounds, generators.send) : [];
    const report: Report = {
      machine: { cores: cpus().length, model: cpus()[0]?.model.trim() ?? "", node: process.version },
      commit: readCommit(),
      at: new Date().toISOString().slice(0, 10),
      rounds,
      busyBefore,
      quiet: isQuiet(busyBefore),
      generators: generators.name,
      hash,
      start,
      figures,
      storms,
      idleMib,
    };
    process.stdout.write(printReport(report));
    if (values.json !== undefined) {
      const all = { ...report, targets: readTargets(report) };
      await writeFile(values.json, `${JSON.stringify(all, null, 2)}\n`);
    }
    if (values.svg !== undefined) await writeFile(values.svg, drawChart(report));
  } finally {
    await stopAll();
  }
}

async function runGrowth(stores: BenchStores, folder: string, seconds: number, send: Send): Promise<void> {
  const sizes = values.sizes.split(",").map(Number);
  const report = await measureGrowth(
    stores,
    folder,
    { seconds, sizes, tokens: values.trial ? 50 : 10_000 },
    send,
  );
  process.stdout.write(`${cpus().length} cores, commit ${readCommit()}\n${printGrowth(report)}`);
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
}

/** Starts them one after the other; what each prepares lies in a folder of its own. */
async function startAll(
  contenders: Contender[],
  stores: BenchStores,
  folder: string,
  { rounds, seconds }: Rounds,
): Promise<void> {
  const amounts: Amounts = {
    users: 64,
    password: "correct horse battery staple",
    // Each round loses those whose refresh is under way at its end.
    sessions: values.trial ? 80 : 400 + 20 * (rounds + 1),
    // Sent in turn: more than a bounded memory of verified tokens holds, so that none is met again in time.
    tokens: values.trial ? 50 : Math.min(40_000, 3_000 * seconds * rounds),
  };
  const folderOf = async (name: string): Promise<string> => {
    const path = join(folder, name);
    await mkdir(path, { recursive: true });
    return path;
  };
  const say = (what: string) => process.stderr.write(`preparing ${what}\n`);
  say("Countersign");
  contenders.push(await startCountersign(stores, amounts, await folderOf("redis"), true));
  contenders.push(await startCountersign(stores, amounts, await folderOf("postgres"), false));
  say("the floors");
  contenders.push(...(await startFloors(await folderOf("floors"))));
  contenders.push(await startLeast(stores, amounts, await folderOf("least")));
  if (!values.peers) return;
  say("the peers");
  contenders.push(...(await startPeers(stores, amounts, await folderOf("peers"))));
}

async function measureAll(
  wanted: readonly CallName[],
  contenders: readonly Contender[],
  stores: BenchStores,
  rounds: Rounds,
  send: Send,
): Promise<Figures[]> {
  const figures: Figures[] = [];
  for (const call of wanted) {
    process.stderr.write(`measuring ${call}\n`);
    figures.push(...(await measureCall(call, contenders, [stores.postgres, stores.redis], rounds, send)));
  }
  return figures;
}

function readCommit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}

await main();
