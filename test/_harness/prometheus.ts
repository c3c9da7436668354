import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findDebianProgram } from "./debian-program.ts";
import { untilUp } from "./eventually.ts";
import { freePort } from "./ports.ts";

/** A series of an answer: its labels without the scraped instance's, and its value. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A real Prometheus that scrapes every second. */
export interface TestPrometheus {
  /** Answers a query with what was scraped last. @throws where it is no good query */
  query(promql: string): Promise<Sample[]>;
  stop(): Promise<void>;
}

const startTimeoutMs = 30_000;

/** @param scrapeConfigs the `scrape_configs` of its configuration, as YAML or JSON */
export async function startPrometheus(scrapeConfigs: string): Promise<TestPrometheus> {
  const program = await findDebianProgram("prometheus", "prometheus");
  const folder = await mkdtemp(join(tmpdir(), "countersign-test-prometheus-"));
  const config = join(folder, "prometheus.yml");
  await writeFile(
    config,
    `global: { scrape_interval: 1s, scrape_timeout: 1s }\nscrape_configs:\n${scrapeConfigs}`,
  );
  const port = await freePort();
  const args = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  let output = "";
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(child, "exit");
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const url = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    process.off("exit", kill);
    child.kill("SIGTERM");
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  const isReady = async () => (await fetch(`${url}/-/ready`).catch(() => null))?.status === 200;
  await untilUp(child, isReady, startTimeoutMs).catch(async () => {
    await stop();
    throw new Error(`Prometheus did not start:\n${output}`);
  });
  return { query: (promql) => query(url, promql), stop };
}

async function query(url: string, promql: string): Promise<Sample[]> {
  const answer = await fetch(`${url}/api/v1/query`, {
    method: "POST",
    body: new URLSearchParams({ query: promql }),
  });
  const body = (await answer.json()) as {
    readonly status: string;
    readonly error?: string;
    readonly data?: { result: { metric: Record<string, string>; value: [number, string] }[] };
  };
  if (body.data === undefined) throw new Error(`Prometheus refused ${promql}: ${body.error}`);
  return body.data.result.map(({ metric, value }) => {
    const { __name__: _name, instance: _instance, job: _job, ...labels } = metric;
    return { labels, value: Number(value[1]) };
  });
}

/** Runs promtool. @returns its exit code and all that it printed */
export async function runPromtool(
  args: readonly string[],
  input = "",
): Promise<{ readonly code: number | null; readonly output: string }> {
  const program = await findDebianProgram("promtool", "prometheus");
  const { status, stdout, stderr } = spawnSync(program, args, { input, encoding: "utf8" });
  return { code: status, output: stdout + stderr };
}
