import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { chmod, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../test/_harness/ports.ts";
import { stopAtExit } from "./stop-at-exit.ts";

/** The service as it is run, with an embedded PostgreSQL in a folder of its own, and its log in a file there. */
export interface BenchService {
  readonly pid: number;
  readonly port: number;
  /** How long it took from its start to the first yes of /readyz. */
  readonly readyMs: number;
  /** What it was started with. */
  readonly env: Readonly<Record<string, string>>;
  readonly stop: () => Promise<void>;
}

const readyTimeoutMs = 120_000;
const pollMs = 10;

/** Starts it on a free port. @param extraEnv made of that port */
export async function startBenchService(
  extraEnv: (port: number) => Readonly<Record<string, string>> = () => ({}),
): Promise<BenchService> {
  const folder = await mkdtemp(join(tmpdir(), "countersign-bench-"));
  // As root, PostgreSQL runs as another user, who has to pass through here; else its data lies elsewhere.
  await chmod(folder, 0o711);
  const port = await freePort();
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOST: "127.0.0.1",
    PORT: String(port),
    OPS_PORT: "0",
    DATA_DIR: join(folder, "data"),
    ...extraEnv(port),
  };
  const entry = join(import.meta.dirname, "..", "bin", "countersign.js");
  const log = await open(join(folder, "log"), "w");
  const startedAt = performance.now();
  const child = spawn(process.execPath, [...nodeFlags(), entry, "serve"], {
    env,
    stdio: ["ignore", log.fd, "inherit"],
  });
  await log.close();
  stopAtExit(child);
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = performance.now() + readyTimeoutMs;
  while (performance.now() < deadline && child.exitCode === null) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
    if (answer?.status === 200) {
      return { pid: child.pid ?? -1, port, readyMs: performance.now() - startedAt, env, stop };
    }
    await answer?.body?.cancel();
    await sleep(pollMs);
  }
  await stop();
  throw new Error("the service did not become ready");
}

/** What `npm start` gives Node. */
function nodeFlags(): string[] {
  const file = join(import.meta.dirname, "..", "package.json");
  const { scripts } = JSON.parse(readFileSync(file, "utf8")) as { scripts: Record<string, string> };
  return scripts["start"]?.match(/(?<= )--\S+/g) ?? [];
}
