import { type ChildProcess, spawn } from "node:child_process";
import { open, readFile, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Identity } from "./identity.ts";
import type { Programs } from "./programs.ts";
import { childEnv } from "./run-program.ts";

/** What a server is started with. */
export interface ServerOptions {
  readonly programs: Programs;
  readonly identity: Identity;
  readonly dataFolder: string;
  /** Settings, given on the command line and so stronger than any file; never a secret. */
  readonly settings: Readonly<Record<string, string>>;
  /** PostgreSQL's own log. The service opens it, so the server's user needs no right to it. */
  readonly logFile: string;
  /** How long recovery and start may take. */
  readonly startTimeoutMs: number;
}

/** A running server. */
export interface ServerProcess {
  readonly pid: number;
  /** Settles when the server ends, for whatever reason; whether it was asked to. */
  readonly ended: Promise<{ expected: boolean }>;
  /** Ends it: sessions are cut off and what they committed is kept. May be called twice. */
  stop(): Promise<void>;
}

const logBytesMax = 5 * 1024 * 1024;
const fastShutdownMs = 10_000;
const immediateShutdownMs = 5_000;

/**
 * Starts PostgreSQL in its own session and waits until it takes connections. A terminal's Ctrl-C then reaches only
 * the service, which decides the order of stopping.
 *
 * @throws Error with the last lines of its log, if it ends or is not ready in time
 */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  await rotateLog(options.logFile);
  const log = await open(options.logFile, "a", 0o600);
  const logStart = (await log.stat()).size;
  const args = Object.entries(options.settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const child = spawn(options.programs.postgres, ["-D", options.dataFolder, ...args], {
    ...options.identity.switchTo,
    cwd: "/",
    env: childEnv,
    detached: true,
    stdio: ["ignore", log.fd, log.fd],
  });
  const ended = watchEnd(child);
  await log.close();
  const server = createHandle(child, ended);
  try {
    await waitUntilReady(child, ended, options);
    return server;
  } catch (error) {
    await server.stop();
    const lines = await lastLines(options.logFile, logStart);
    throw new Error(`The embedded PostgreSQL did not start: ${String(error)} ${lines}`.trim(), {
      cause: error,
    });
  }
}

/** Settles with the reason when the process has ended, or could not be started at all. */
function watchEnd(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(`It ended with ${signal ?? `code ${code}`}.`));
  });
}

function createHandle(child: ChildProcess, ended: Promise<string>): ServerProcess {
  let stopping: Promise<void> | null = null;
  // A service that ends without stopping the server (a second Ctrl-C, a crash) still asks it to shut down cleanly.
  const onProcessExit = () => child.kill("SIGINT");
  process.once("exit", onProcessExit);
  void ended.then(() => process.off("exit", onProcessExit));
  return {
    pid: child.pid ?? -1,
    ended: ended.then(() => ({ expected: stopping !== null })),
    stop() {
      stopping ??= stopChild(child, ended);
      return stopping;
    },
  };
}

/** SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one, after which the next start recovers. */
async function stopChild(child: ChildProcess, ended: Promise<string>): Promise<void> {
  for (const [signal, waitMs] of [
    ["SIGINT", fastShutdownMs],
    ["SIGQUIT", immediateShutdownMs],
  ] as const) {
    child.kill(signal);
    if (await settlesWithin(ended, waitMs)) {
      return;
    }
  }
  child.kill("SIGKILL");
  await ended;
}

async function settlesWithin(promise: Promise<unknown>, waitMs: number): Promise<boolean> {
  const timer = new AbortController();
  const timeout = sleep(waitMs, false, { signal: timer.signal }).catch(() => false);
  const settled = await Promise.race([promise.then(() => true), timeout]);
  timer.abort();
  return settled;
}

/** The server writes its state in the last line of postmaster.pid; nothing needs to connect for it. */
async function waitUntilReady(
  child: ChildProcess,
  ended: Promise<string>,
  options: ServerOptions,
): Promise<void> {
  const deadline = Date.now() + options.startTimeoutMs;
  const end: { reason?: string } = {};
  void ended.then((reason) => Object.assign(end, { reason }));
  while (end.reason === undefined) {
    const lines = await readFile(join(options.dataFolder, "postmaster.pid"), "utf8").catch(() => "");
    const [pid, , , , , , , state] = lines.split("\n");
    if (Number(pid) === child.pid && state?.trim() === "ready") {
      return;
    }
    if (Date.now() > deadline) {
      throw new Error(`It is not ready after ${options.startTimeoutMs} ms.`);
    }
    await sleep(10);
  }
  throw new Error(end.reason);
}

async function rotateLog(file: string): Promise<void> {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  if (size > logBytesMax) {
    await rename(file, `${file}.1`);
  }
}

async function lastLines(file: string, from: number): Promise<string> {
  const text = (await readFile(file)).subarray(from).toString("utf8").trim();
  return text === ""
    ? `Its log ${file} says nothing.`
    : `Its log ${file} ends: ${text.split("\n").slice(-8).join(" | ")}`;
}
