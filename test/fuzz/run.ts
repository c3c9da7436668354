// Fuzzes a service of its own with requests made by the grammar of the contract.
// Usage: node test/fuzz/run.ts [--requests N] [--seed N] [--from N] [--workers N]
// Ctrl-C ends it early, with the report; it goes on with the --seed and --from that it printed last.
// Exit codes: 0 nothing was found, 1 a 5xx, a crash, a hang or growing memory was found.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createTestDatabase, startTestCluster } from "../_harness/postgres.ts";
import { root, startService } from "../_harness/service.ts";
import { type CampaignResult, runCampaign } from "./campaign.ts";
import { createLogTally, type LogTally } from "./log-tally.ts";
import { createServiceTarget, targetEnv } from "./service-target.ts";

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "1000000" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    from: { type: "string", default: "0" },
    workers: { type: "string", default: "32" },
  },
});
const options = {
  requests: Number(values.requests),
  seed: Number(values.seed),
  from: Number(values.from),
  workers: Number(values.workers),
};
const progressPeriodMs = 10_000;
const rssShown = 10;
// What is left after garbage collection is a matter of luck: this much is no growth.
const rssGrowthMaxMib = 64;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function rssMib(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
}

async function main(): Promise<void> {
  const commit = execFileSync("git", ["rev-parse", "HEAD"], { cwd: root, encoding: "utf8" }).trim();
  print(`seed ${options.seed}, commit ${commit}, requests ${options.requests} from ${options.from}`);
  const cluster = await startTestCluster();
  const database = await createTestDatabase(cluster);
  const tally = createLogTally();
  const service = await startService({
    env: { ...targetEnv, DATABASE_URL: database.url },
    onLine: (line) => tally.read(line),
  });
  try {
    const samples = [rssMib(service.pid)];
    const stopping = new AbortController();
    process.once("SIGINT", () => stopping.abort()).once("SIGTERM", () => stopping.abort());
    const startedAt = performance.now();
    let done = 0;
    const progress = setInterval(() => {
      samples.push(rssMib(service.pid));
      const perSecond = Math.round((done * 1000) / (performance.now() - startedAt));
      const next = options.from + Math.max(0, done - options.workers);
      print(`${done} done, ${perSecond}/s, faults ${tally.faults.length}; go on with --from ${next}`);
    }, progressPeriodMs);
    const result = await runCampaign(await createServiceTarget(service), {
      ...options,
      signal: stopping.signal,
      onDone(count) {
        done = count;
      },
    });
    clearInterval(progress);
    print(`${done} requests in ${Math.round((performance.now() - startedAt) / 1000)} s`);
    report(result, tally, samples, result.crashed ? 0 : await settledRss(service.pid));
  } finally {
    await service.stop();
    await cluster.stop();
  }
}

async function settledRss(pid: number): Promise<number> {
  // sleep: the memory that the run took is given back.
  await delay(5_000);
  return rssMib(pid);
}

function report(
  { fates, hung, crashed }: CampaignResult,
  tally: LogTally,
  samples: readonly number[],
  atRest: number,
): void {
  print(`fates: ${listCounts(Object.entries(fates))}`);
  print(`statuses: ${listCounts([...tally.statuses])}`);
  print(`protocols: ${listCounts([...tally.protocols])}`);
  print(`reasons: ${listCounts([...tally.reasons])}`);
  const step = Math.max(1, Math.ceil(samples.length / rssShown));
  const shown = samples.filter((_sample, index) => index % step === 0);
  print(`RSS in MiB: ${shown.join(" ")} over time, ${atRest} at rest`);
  // The first tenth warms up.
  const growth = atRest - (shown[1] ?? atRest);
  for (const fault of tally.faults) print(`fault: ${fault}`);
  for (const index of hung) print(`hung: --seed ${options.seed} --from ${index} --requests 1`);
  const isSound = tally.faults.length === 0 && hung.length === 0 && !crashed && growth <= rssGrowthMaxMib;
  print(
    `5xx and errors ${tally.faults.length}, hung ${hung.length}, crashed ${String(crashed)}, growth ${growth} MiB`,
  );
  print(isSound ? "nothing was found" : "something was found");
  process.exitCode = isSound ? 0 : 1;
}

function listCounts(counts: readonly (readonly [unknown, number])[]): string {
  return counts
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, count]) => `${String(name)} ${count}`)
    .join(", ");
}

await main();
