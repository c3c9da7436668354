import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { untilUp } from "../_harness/eventually.ts";
import { freePort } from "../_harness/ports.ts";
import { mainFile } from "../_harness/service.ts";

/** `countersign serve`, as a new user runs it: with as little environment as that. */
export interface StartedProcess {
  readonly pid: number;
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly opsUrl: string;
  readonly env: Readonly<Record<string, string>>;
  output(): string;
  logs(): Record<string, unknown>[];
  /** Waits until /readyz says so. @returns how long it took since the start, in milliseconds */
  ready(): Promise<number>;
  /** Waits for the end, after a signal where one is named. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

/** How a start differs from the usual. */
export interface StartOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Whom to run as. */
  readonly uid?: number;
  readonly cwd?: string;
  readonly main?: string;
  /** What is run in place of all that, in a process group of its own. */
  readonly command?: readonly [string, ...string[]];
}

const readyMs = 90_000;
/** What has not ended yet, and how it is told to. */
const started = new Map<ChildProcess, () => void>();

/** Starts the service on ports of its own, and does not wait for it. */
export async function startProcess(options: StartOptions): Promise<StartedProcess> {
  const [port, opsPort] = [await freePort(), await freePort()];
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOST: "127.0.0.1",
    PORT: String(port),
    OPS_PORT: String(opsPort),
    ...options.env,
  };
  const startedAt = performance.now();
  const [program, ...args] = options.command ?? [process.execPath, options.main ?? mainFile, "serve"];
  const child = spawn(program, args, {
    env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: options.command !== undefined,
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  started.set(child, () => {
    // Also what its first process has left behind.
    if (options.command === undefined) child.kill("SIGTERM");
    else process.kill(-(child.pid ?? 0), "SIGTERM");
  });
  const exited = once(child, "close").then(() => started.delete(child));
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  }
  const opsUrl = `http://127.0.0.1:${opsPort}`;
  return {
    pid: child.pid ?? -1,
    url: `http://127.0.0.1:${port}`,
    opsUrl,
    env,
    output: () => output,
    logs: () =>
      output
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    async ready() {
      const isReady = async () => (await fetch(`${opsUrl}/readyz`).catch(() => null))?.status === 200;
      await untilUp(child, isReady, readyMs).catch(() => {
        throw new Error(`It did not become ready:\n${output}`);
      });
      return performance.now() - startedAt;
    },
    async end(signal) {
      if (signal !== undefined) child.kill(signal);
      await exited;
      return child.exitCode;
    },
  };
}

/** Ends what a failed test has left running. */
export async function endLeftProcesses(): Promise<void> {
  await Promise.all(
    [...started].map(async ([child, end]) => {
      const exited = once(child, "close");
      end();
      await exited;
    }),
  );
}

/** The set of public keys. */
export async function fetchJwks(url: string): Promise<unknown> {
  return (await fetch(`${url}/.well-known/jwks.json`)).json();
}

/** The embedded PostgreSQL's processes that work on a DATA_DIR, by their command lines. */
export async function postgresOf(dataDir: string): Promise<number[]> {
  const pids: number[] = [];
  for (const name of (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry))) {
    const command = await readFile(join("/proc", name, "cmdline"), "utf8").catch(() => "");
    if (command.includes(`${dataDir}/postgres/data`)) pids.push(Number(name));
  }
  return pids;
}
