import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { untilUp } from "./eventually.ts";
import { limitMemory, type MemoryLimit } from "./memory-limit.ts";
import { freePort } from "./ports.ts";
import { createSharedDatabase } from "./shared-stores.ts";
import { generousThrottles } from "./throttles.ts";

/** How a test's service differs from the usual. */
export interface ServiceOptions {
  /** Environment variables beside, or in place of, those of the harness. An empty text unsets one. */
  readonly env?: Readonly<Record<string, string>>;
  /** The host in ISSUER: localhost by default. */
  readonly issuerHost?: string;
  /** Takes each line that it prints. The lines are not kept then: for runs that make very many. */
  readonly onLine?: (line: string) => void;
  /** The memory that it may have, in MiB, with its child processes. */
  readonly memoryMib?: number;
  /** How many files it may have open. */
  readonly descriptors?: number;
}

/** The service as a process of its own, through whose front door tests go. */
export interface TestService {
  /** `http://127.0.0.1:PORT`, or https. */
  readonly url: string;
  readonly port: number;
  readonly opsUrl: string;
  readonly databaseUrl: string;
  readonly pid: number;
  /** How often the kernel has ended one of its processes for their memory. */
  memoryKills(): Promise<number>;
  /** Who can sign in. */
  readonly admin: { readonly username: string; readonly password: string };
  /** All that it has printed so far. */
  output(): string;
  /** The log lines so far. */
  logs(): Record<string, unknown>[];
  /** Runs a command of the command line beside the service, with the same environment. */
  command(args: readonly string[], input?: string): Promise<CommandResult>;
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<number | null>;
  /** Ends it in order, and drops its database. */
  stop(): Promise<void>;
}

/** How a command ended. */
export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The checkout. */
export const root: string = join(import.meta.dirname, "..", "..");
/** The way in. */
export const mainFile: string = join(root, "src", "main.ts");
/** The same, quicker to load. Tests of memory start the source, as it is measured. */
const quickMainFile = (): string => process.env["TEST_SERVICE_BUNDLE"] ?? mainFile;

/** Who can sign in to a service that has just been started. */
export const firstUser = { username: "admin", password: "correct horse battery" } as const;
/** A secret for tests. */
export const testSecretKey = "test-secret-key-0123456789-abcdefghijklm";
// A machine that runs many tests at once is slow.
const readyTimeoutMs = 120_000;

/** Starts the service on an empty database of the run's PostgreSQL, and waits until it is ready. */
export async function startService(options: ServiceOptions = {}): Promise<TestService> {
  const given = options.env ?? {};
  const database = given["DATABASE_URL"] === undefined ? await createSharedDatabase() : null;
  const databaseUrl = database?.url ?? given["DATABASE_URL"] ?? "";
  const dataDir = await mkdtemp(join(tmpdir(), "countersign-test-data-"));
  const [port, opsPort] = [await freePort(), await freePort()];
  const scheme = given["TLS_CERT_FILE"] === undefined ? "http" : "https";
  const admin = firstUser;
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOST: "127.0.0.1",
    PORT: String(port),
    OPS_PORT: String(opsPort),
    DATABASE_URL: databaseUrl,
    DATA_DIR: dataDir,
    ISSUER: `${scheme}://${options.issuerHost ?? "localhost"}:${port}`,
    SECRET_KEY: testSecretKey,
    BOOTSTRAP_USERNAME: admin.username,
    BOOTSTRAP_PASSWORD: admin.password,
    // Cheap hashes: most tests are not about them.
    ARGON2_MEMORY_KIB: "64",
    ARGON2_ITERATIONS: "1",
    // `npm run test:workers` runs tests of one process once more over several.
    WORKERS: process.env["TEST_WORKERS"] ?? "1",
    // Tests run beside others, behind whom nobody could ever sign in.
    HASH_NICENESS: "0",
    // Most tests sign in often, all from one address.
    ...generousThrottles,
    ...given,
  };
  const memory = options.memoryMib === undefined ? null : await limitMemory(options.memoryMib);
  const [program, ...args] = commandOf(options, memory);
  const child = spawn(program, args, {
    env: { ...compileCache(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = collectOutput(child, options.onLine);
  const exited = once(child, "exit");
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    await exited;
    return child.exitCode;
  };
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) await end("SIGTERM");
    await rm(dataDir, { recursive: true, force: true });
    await memory?.remove();
    await database?.drop();
  };
  const opsUrl = `http://127.0.0.1:${opsPort}`;
  try {
    await waitUntilReady(child, opsUrl, output);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    port,
    opsUrl,
    databaseUrl,
    pid: child.pid ?? -1,
    memoryKills: () => memory?.kills() ?? Promise.resolve(0),
    admin,
    output,
    logs: () => parseLines(output()),
    command: (args, input = "") => runCommand(args, env, input),
    end,
    stop,
  };
}

function commandOf(
  { memoryMib, descriptors }: ServiceOptions,
  memory: MemoryLimit | null,
): readonly [string, ...string[]] {
  // What `npm start` and the image give it as well.
  const flags = memoryMib === undefined ? [] : ["--max-semi-space-size=4"];
  const file = memoryMib === undefined ? quickMainFile() : mainFile;
  const command = [process.execPath, ...flags, file, "serve"] as const;
  if (descriptors !== undefined) {
    return ["/bin/sh", "-c", 'ulimit -n "$0" && exec "$@"', String(descriptors), ...command];
  }
  return memory?.wrap(command) ?? command;
}

/** The first line on standard error of every command that has a database: which one. */
const databaseLine = /^Database: .*\n/;

/** Runs the command line in a process of its own. What it says of its database is left out. */
export async function runCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  input = "",
): Promise<CommandResult> {
  const { stderr, ...result } = await runWholeCommand(args, env, input);
  return { ...result, stderr: stderr.replace(databaseLine, "") };
}

/** Runs the command line in a process of its own. @param cwd its folder; by default this process's */
export async function runWholeCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  input = "",
  cwd: string = process.cwd(),
): Promise<CommandResult> {
  const child = spawn(process.execPath, [quickMainFile(), ...args], {
    cwd,
    env: { ...compileCache(), ...env },
    stdio: "pipe",
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.end(input);
  await once(child, "close");
  return { code: child.exitCode, stdout, stderr };
}

/** Node's own variable: a third less of a start's work. */
function compileCache(): Record<string, string> {
  const folder = process.env["TEST_COMPILE_CACHE"];
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
}

function collectOutput(child: ChildProcess, onLine: ServiceOptions["onLine"]): () => string {
  if (onLine !== undefined) {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on("line", onLine);
    }
    return () => "";
  }
  const chunks: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString();
}

async function waitUntilReady(child: ChildProcess, opsUrl: string, output: () => string): Promise<void> {
  const isReady = async () => (await fetch(`${opsUrl}/readyz`).catch(() => null))?.status === 200;
  await untilUp(child, isReady, readyTimeoutMs).catch(() => {
    throw new Error(`The service did not become ready:\n${output()}`);
  });
}

function parseLines(text: string): Record<string, unknown>[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
