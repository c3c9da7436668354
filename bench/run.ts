import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { Client, credentials } from "@grpc/grpc-js";
import { median } from "./figures.ts";
import { startBenchService } from "./service.ts";

const rounds = 7;
const callsPerRound = 4_000;
const callersAtOnce = 16;
const ticksPerSecond = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** A running server, and how it is called. */
interface Candidate {
  readonly name: string;
  readonly pid: number;
  readonly call: () => Promise<void>;
}

const children: ChildProcess[] = [];

async function main(): Promise<void> {
  const service = await startBenchService();
  const [http, connect, connectH2, grpcJs] = [
    await startPeer("node-http"),
    await startPeer("connect-node"),
    await startPeer("connect-node-h2"),
    await startPeer("grpc-js"),
  ];
  const rpc = "/countersign.v1.TokenService/GetJwks";
  await compare("JSON over HTTP/1.1", [
    { name: "node:http alone (the floor)", pid: http.pid, call: httpCaller(http.port, "GET", "/") },
    { name: "@connectrpc/connect-node", pid: connect.pid, call: httpCaller(connect.port, "POST", rpc) },
    { name: "Countersign, Connect", pid: service.pid, call: httpCaller(service.port, "POST", rpc) },
    {
      name: "Countersign, REST",
      pid: service.pid,
      call: httpCaller(service.port, "GET", "/.well-known/jwks.json"),
    },
  ]);
  await compare("gRPC", [
    { name: "@grpc/grpc-js (the floor)", pid: grpcJs.pid, call: grpcCaller(grpcJs.port, rpc) },
    { name: "@connectrpc/connect-node", pid: connectH2.pid, call: grpcCaller(connectH2.port, rpc) },
    { name: "Countersign", pid: service.pid, call: grpcCaller(service.port, rpc) },
  ]);
  await service.stop();
}

/** Measures the candidates in turn, and prints the median of each with its ratio to the first. */
async function compare(title: string, candidates: readonly Candidate[]): Promise<void> {
  const costs = new Map<Candidate, number[]>(candidates.map((candidate) => [candidate, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const candidate of candidates) {
      const cost = await measure(candidate);
      // The first round warms up.
      if (round > 0) costs.get(candidate)?.push(cost);
    }
  }
  const floor = median(costs.values().next().value ?? []);
  process.stdout.write(
    `\n${title}: server CPU per call, median of ${rounds} rounds of ${callsPerRound} calls\n`,
  );
  for (const [{ name }, values] of costs) {
    const middle = median(values);
    const spread = `${Math.min(...values).toFixed(0)}-${Math.max(...values).toFixed(0)}`;
    process.stdout.write(
      `  ${name.padEnd(30)} ${middle.toFixed(0).padStart(5)} us  (${spread})  x ${(middle / floor).toFixed(2)}\n`,
    );
  }
}

async function measure({ pid, call }: Candidate): Promise<number> {
  const before = cpuMicroseconds(pid);
  let left = callsPerRound;
  const caller = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await call();
    }
  };
  await Promise.all(Array.from({ length: callersAtOnce }, caller));
  return (cpuMicroseconds(pid) - before) / callsPerRound;
}

/** User and system time of a process: fields 14 and 15 of proc(5)'s stat, in clock ticks. */
function cpuMicroseconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / ticksPerSecond;
}

function httpCaller(port: number, method: "GET" | "POST", path: string): () => Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: callersAtOnce });
  const headers = method === "POST" ? { "content-type": "application/json" } : {};
  return () =>
    new Promise((resolve, reject) => {
      const call = request({ host: "127.0.0.1", port, method, path, agent, headers }, (response) => {
        response
          .resume()
          .once("end", () => (response.statusCode === 200 ? resolve() : reject(new Error("no 200"))));
      });
      call.once("error", reject).end(method === "POST" ? "{}" : undefined);
    });
}

function grpcCaller(port: number, path: string): () => Promise<void> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const bytes = (value: Buffer): Buffer => value;
  return () =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, bytes, bytes, Buffer.alloc(0), (error) =>
        error === null ? resolve() : reject(error),
      );
    });
}

async function startPeer(name: string): Promise<{ pid: number; port: number }> {
  const child = launch([join(import.meta.dirname, "servers.ts"), name], {});
  if (child.stdout === null) throw new Error("the server has no output");
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { pid: child.pid ?? -1, port: (JSON.parse(line.toString()) as { port: number }).port };
}

function launch(args: readonly string[], env: Record<string, string>): ChildProcess {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  return child;
}

try {
  await main();
} finally {
  for (const child of children) child.kill("SIGTERM");
}
process.exit(0);
