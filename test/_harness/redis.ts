import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { connect as connectTls } from "node:tls";
import { exists, installDebianPackages } from "./debian-package.ts";
import { untilUp } from "./eventually.ts";
import { freePort } from "./ports.ts";

/** How a test's Redis differs from the usual: a free port, no persistence. */
export interface TestRedisOptions {
  readonly port?: number;
  /** A configuration file, read before the arguments. */
  readonly configFile?: string;
  /** Whether it speaks TLS on the port, and what it is trusted by. */
  readonly tls?: { readonly caFile: string };
  /** More arguments of redis-server, which win over ours. */
  readonly args?: readonly string[];
}

/** A real Redis or Valkey on a loopback port, for tests. */
export interface TestRedis {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Ends it in order and removes its folder. May be called twice, and after kill9. */
  stop(): Promise<void>;
  /** Ends it with SIGKILL. */
  kill9(): Promise<void>;
}

const startTimeoutMs = 10_000;

/**
 * Starts a Redis from redis-server or valkey-server on the PATH; as root on Debian and its kin, a
 * missing one is installed first.
 *
 * @throws Error saying what to install
 */
export async function startRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const program = (await findProgram()) ?? (await installRedis());
  const port = options.port ?? (await freePort());
  const folder = await mkdtemp(join(tmpdir(), "countersign-test-redis-"));
  const own = [
    "--port",
    String(port),
    "--bind",
    "127.0.0.1",
    "--dir",
    folder,
    "--save",
    "",
    "--appendonly",
    "no",
  ];
  const file = options.configFile === undefined ? [] : [options.configFile];
  const child = spawn(program, [...file, ...own, ...(options.args ?? [])], {
    stdio: "ignore",
    detached: true,
  });
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve()).once("error", () => resolve());
  });
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await ended;
  };
  const onProcessExit = () => child.kill("SIGKILL");
  process.once("exit", onProcessExit);
  void ended.then(() => process.off("exit", onProcessExit));
  const stop = async () => {
    await end("SIGTERM");
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await waitUntilReady(child, port, options.tls?.caFile);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `redis://127.0.0.1:${port}`, port, pid: child.pid ?? -1, stop, kill9: () => end("SIGKILL") };
}

async function waitUntilReady(child: ChildProcess, port: number, caFile?: string): Promise<void> {
  await untilUp(child, () => answers(port, caFile), startTimeoutMs).catch(() => {
    throw new Error("The Redis of the tests did not start.");
  });
}

/** Any answer will do: one that asks for a password is ready too. */
async function answers(port: number, caFile?: string): Promise<boolean> {
  const socket =
    caFile === undefined
      ? connect(port, "127.0.0.1")
      : connectTls({ port, host: "127.0.0.1", ca: readFileSync(caFile) });
  try {
    await once(socket, caFile === undefined ? "connect" : "secureConnect");
    socket.write("PING\r\n");
    const [reply] = (await once(socket, "data", { signal: AbortSignal.timeout(500) })) as [Buffer];
    return /^(\+PONG|-NOAUTH)/.test(reply.toString("latin1"));
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function findProgram(): Promise<string | null> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    for (const name of ["redis-server", "valkey-server"]) {
      const path = join(folder, name);
      if (await exists(path)) {
        return path;
      }
    }
  }
  return null;
}

async function installRedis(): Promise<string> {
  const advice = "The tests need a real Redis: install redis-server or valkey-server.";
  await installDebianPackages(["redis-server"], advice);
  const program = await findProgram();
  if (program === null) {
    throw new Error(advice);
  }
  return program;
}
