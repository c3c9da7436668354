import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { percentile } from "../figures.ts";

/** One kind of request, as a load generator sends it again and again. */
export interface Load {
  readonly protocol: "http1" | "h2c";
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The same body each time, lines of a file in turn, or refresh tokens that each answer replaces; null for none. */
  readonly body: FixedBody | LineBodies | RefreshBodies | null;
  /** What a right answer holds. */
  readonly expects: RegExp;
}

interface FixedBody {
  readonly kind: "fixed";
  readonly file: string;
}

interface LineBodies {
  readonly kind: "each";
  readonly file: string;
  /** The line to begin after. */
  readonly from: number;
  /** Whether a caller that is refused waits as long as Retry-After says. wrk alone can do so. */
  readonly waits?: boolean;
}

interface RefreshBodies {
  readonly kind: "refresh";
  /** Refresh tokens, one a line; it is written anew. */
  readonly file: string;
  /** The body before the token. */
  readonly before: string;
}

/** What a load generator has counted. */
export interface Counts {
  readonly requests: number;
  /** Requests without a successful answer. */
  readonly errors: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The bytes of all answers. */
  readonly bytes: number;
}

/** Sends a load to a port of this machine for so many seconds. */
export type Send = (port: number, load: Load, seconds: number, connections?: number) => Promise<Counts>;

const run = promisify(execFile);
const scripts = join(import.meta.dirname, "..", "load");
/** How many requests are under way at once. */
export const usualConnections = 16;
/** h2load opens one connection for each client; a gRPC client multiplexes its calls over one. */
const streams = 16;

/** Sends a load to a port of this machine for so many seconds: by wrk over HTTP/1.1, by h2load over HTTP/2. */
export function sendLoad(
  port: number,
  load: Load,
  seconds: number,
  connections: number = usualConnections,
): Promise<Counts> {
  return load.protocol === "http1"
    ? runWrk(port, load, seconds, connections)
    : runH2load(port, load, seconds);
}

async function runWrk(port: number, load: Load, seconds: number, connections: number): Promise<Counts> {
  const { body } = load;
  const script = body === null ? "fixed" : body.kind;
  const headers = Object.entries(load.headers).map(([name, value]) => `${name}: ${value}`);
  const { stdout } = await run(
    "wrk",
    [
      "-t1",
      `-c${connections}`,
      `-d${seconds}s`,
      "--timeout",
      "10s",
      "-s",
      join(scripts, `${script}.lua`),
      `http://127.0.0.1:${port}${load.path}`,
      "--",
      load.method,
      ...headers,
      "--",
      ...bodyArgs(body),
    ],
    { env: { PATH: process.env["PATH"] ?? "", LUA_PATH: join(scripts, "?.lua") } },
  );
  const line = stdout.split("\n").findLast((text) => text.startsWith("{"));
  if (line === undefined) throw new Error(`wrk has printed no figures: ${stdout}`);
  const { requests, errors, durationUs, p50Us, p99Us, bytes } = JSON.parse(line) as Record<string, number>;
  return {
    requests: requests ?? 0,
    errors: errors ?? 0,
    seconds: (durationUs ?? 0) / 1e6,
    p50Ms: (p50Us ?? 0) / 1000,
    p99Ms: (p99Us ?? 0) / 1000,
    bytes: bytes ?? 0,
  };
}

function bodyArgs(body: Load["body"]): string[] {
  switch (body?.kind) {
    case undefined:
      return [];
    case "fixed":
      return [body.file];
    case "each":
      return [body.file, String(body.from), ...(body.waits ? ["wait"] : [])];
    case "refresh":
      return [body.file, body.before];
  }
}

async function runH2load(port: number, load: Load, seconds: number): Promise<Counts> {
  if (load.body !== null && load.body.kind !== "fixed") throw new Error("h2load sends one body");
  const folder = await mkdtemp(join(tmpdir(), "countersign-h2load-"));
  const log = join(folder, "requests");
  try {
    const headers = Object.entries(load.headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
    const data = load.body === null ? [] : ["-d", load.body.file];
    const { stdout } = await run("h2load", [
      "-c1",
      `-m${streams}`,
      "-t1",
      `-D${seconds}`,
      `--log-file=${log}`,
      ...headers,
      ...data,
      `http://127.0.0.1:${port}${load.path}`,
    ]);
    const times: number[] = [];
    let errors = 0;
    // Each line: when it was sent (µs since the epoch), the HTTP status, how long it took (µs).
    for (const line of (await readFile(log, "utf8")).split("\n")) {
      const [, status, micros] = line.split("\t");
      if (status === undefined) continue;
      if (status === "200") times.push(Number(micros) / 1000);
      else errors += 1;
    }
    if (times.length === 0) throw new Error(`h2load was not answered: ${stdout}`);
    return {
      requests: times.length + errors,
      errors,
      seconds,
      p50Ms: percentile(times, 0.5),
      p99Ms: percentile(times, 0.99),
      // "traffic: 1.2MB (1234567) total, 1.1KB (1100) headers (…), 1.0MB (1000000) data"
      bytes: Number(/\((\d+)\) data/.exec(stdout)?.[1] ?? 0),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
